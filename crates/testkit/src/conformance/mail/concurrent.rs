//! Many at once: each write is one step, and the steps have an order.

use super::desk::{Desk, document, id_of, ids, instance, memo};
use crate::conformance::{Bed, cases};
use futures::future::join_all;
use mainstay_core::api::Offset;
use mainstay_core::mail::{AckOutcome, Append, Appended, InboxLimits, TailQuery};
use std::collections::BTreeSet;
use std::future::Future;

cases! {
    ($) mail_concurrent_tests, mail::concurrent:
    nothing_is_lost_and_nothing_is_stored_twice,
    what_one_sender_sends_in_turn_arrives_in_turn,
    a_reader_that_follows_sees_every_message_once,
    of_many_with_one_id_one_is_stored,
    of_many_with_one_request_id_one_is_stored,
    of_many_acknowledgements_the_same_one_stands_for_all,
    a_bound_holds_under_concurrent_sends,
    of_many_that_join_at_once_one_is_new,
    who_joins_while_broadcasts_are_sent_receives_each_once,
    of_many_that_mark_a_message_one_found_it_unread,
}

const TASKS: usize = 64;

/// Runs the same thing in many tasks.
async fn at_once<F, T>(run: impl Fn(usize) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let tasks: Vec<_> = (0..TASKS).map(|number| tokio::spawn(run(number))).collect();
    join_all(tasks).await.into_iter().map(|task| task.expect("a task")).collect()
}

async fn nothing_is_lost_and_nothing_is_stored_twice(bed: &Bed) {
    let desk = Desk::new(bed);
    let offsets: Vec<Vec<Offset>> = at_once(|task| {
        let desk = desk.clone();
        async move {
            let mut offsets = Vec::new();
            for number in 0..4 {
                offsets.push(desk.store(desk.letter(&format!("m{task}-{number}"), &["ada", "bob"])).await);
            }
            offsets
        }
    })
    .await;
    let given: BTreeSet<Offset> = offsets.iter().flatten().copied().collect();
    assert_eq!(given.len(), TASKS * 4, "each offset is given once");
    for name in ["ada", "bob"] {
        let rows = desk.drain(desk.whole_inbox(name)).await.rows;
        let read: Vec<Offset> = rows.iter().map(|row| row.offset).collect();
        assert_eq!(read, given.iter().copied().collect::<Vec<_>>(), "{name}: each message once, in order");
        assert_eq!(desk.counts(name).await, (256, 256, 256));
    }
    assert_eq!(desk.rows(desk.all()).await.len(), TASKS * 4);
    assert_eq!(desk.mail.stats(&desk.namespace).await.expect("stats").total_messages, 256);
}

async fn what_one_sender_sends_in_turn_arrives_in_turn(bed: &Bed) {
    let desk = Desk::new(bed);
    at_once(|task| {
        let desk = desk.clone();
        async move {
            for number in 0..4 {
                desk.store(desk.letter(&format!("{task} {number}"), &["ada"])).await;
            }
        }
    })
    .await;
    let arrived = desk.tail("ada").await;
    for task in 0..TASKS {
        let prefix = format!("{task} ");
        let own: Vec<&str> = arrived.iter().filter_map(|id| id.strip_prefix(&prefix)).collect();
        assert_eq!(own, ["0", "1", "2", "3"], "sender {task}");
    }
}

async fn a_reader_that_follows_sees_every_message_once(bed: &Bed) {
    let desk = Desk::new(bed);
    let reader = tokio::spawn({
        let desk = desk.clone();
        async move {
            let (mut seen, mut query) = (Vec::new(), TailQuery { limit: 5, ..desk.whole_inbox("ada") });
            while seen.len() < TASKS {
                let page = desk.tail_page(&query).await;
                query.after = page.position;
                seen.extend(page.rows.iter().map(id_of));
                tokio::task::yield_now().await;
            }
            seen
        }
    });
    at_once(|task| {
        let desk = desk.clone();
        async move { desk.store(desk.letter(&format!("m{task}"), &["ada"])).await }
    })
    .await;
    let seen = reader.await.expect("the reader");
    assert_eq!(seen, desk.tail("ada").await, "a position never passes over what is not yet visible");
}

async fn of_many_with_one_id_one_is_stored(bed: &Bed) {
    let desk = Desk::new(bed);
    let outcomes = at_once(|task| {
        let desk = desk.clone();
        let content = document("m1", task.to_string().as_bytes());
        async move { desk.append(Append { document: content, ..desk.letter("m1", &["ada"]) }).await }
    })
    .await;
    let stored = outcomes.iter().filter(|outcome| matches!(outcome, Appended::Stored { .. })).count();
    let refused = outcomes.iter().filter(|outcome| **outcome == Appended::DuplicateId).count();
    assert_eq!((stored, refused), (1, TASKS - 1));
    assert_eq!(desk.counts("ada").await, (1, 1, 1));
    assert_eq!(desk.tail("ada").await, ["m1"]);
}

async fn of_many_with_one_request_id_one_is_stored(bed: &Bed) {
    let desk = Desk::new(bed);
    let outcomes = at_once(|task| {
        let desk = desk.clone();
        let id = format!("m{task}");
        let memo = memo("owner r1", "same", desk.now);
        async move { (id.clone(), desk.append(Append { memo, ..desk.letter(&id, &["ada"]) }).await) }
    })
    .await;
    let stored: Vec<&String> =
        outcomes.iter().filter(|(_, outcome)| matches!(outcome, Appended::Stored { .. })).map(|(id, _)| id).collect();
    assert_eq!(stored.len(), 1, "{outcomes:?}");
    let first = super::desk::message_id(stored[0]);
    let replayed = outcomes.iter().filter(|(_, outcome)| *outcome == Appended::Replayed(first.clone())).count();
    assert_eq!(replayed, TASKS - 1, "{outcomes:?}");
    assert_eq!(desk.tail("ada").await, [first.as_str()]);
}

async fn of_many_acknowledgements_the_same_one_stands_for_all(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.store(desk.letter("m1", &["ada"])).await;
    let outcomes = at_once(|task| {
        let desk = desk.clone();
        async move { desk.ack_with("m1", "ada", &format!("by task {task}")).await }
    })
    .await;
    let mut firsts = 0;
    let mut standing = BTreeSet::new();
    for outcome in outcomes {
        let AckOutcome::Stands { row, already, .. } = outcome else {
            panic!("{outcome:?}");
        };
        firsts += usize::from(!already);
        let ack = row.receipt.and_then(|receipt| receipt.ack).expect("an acknowledgement");
        standing.insert(ack.comment);
    }
    assert_eq!((firsts, standing.len()), (1, 1), "{standing:?}");
    let receipts = desk.row("m1").await.receipts.expect("receipts");
    assert_eq!(receipts[0].ack.as_ref().map(|ack| &ack.comment), standing.first());
    assert_eq!(desk.row("m1").await.delivery.acknowledged, 1);
    assert_eq!(desk.counts("ada").await, (1, 0, 0));
}

async fn a_bound_holds_under_concurrent_sends(bed: &Bed) {
    let desk = Desk::new(bed).bounded(InboxLimits { max_inbox: 100, max_pending: 10, max_messages: 1_000 });
    let outcomes = at_once(|task| {
        let desk = desk.clone();
        async move { desk.append(desk.letter(&format!("m{task}"), &["bob", "ada"])).await }
    })
    .await;
    let stored = outcomes.iter().filter(|outcome| matches!(outcome, Appended::Stored { .. })).count();
    let full = Appended::InboxFull(instance("bob"));
    let refused = outcomes.iter().filter(|outcome| **outcome == full).count();
    assert_eq!((stored, refused), (10, TASKS - 10));
    assert_eq!(desk.counts("ada").await, (10, 10, 10));
}

async fn of_many_that_join_at_once_one_is_new(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.store(desk.broadcast("b1")).await;
    let new = at_once(|_| {
        let desk = desk.clone();
        async move { desk.join("ada").await }
    })
    .await;
    assert_eq!(new.iter().filter(|new| **new).count(), 1);
    assert_eq!(desk.counts("ada").await, (1, 1, 1));
}

async fn who_joins_while_broadcasts_are_sent_receives_each_once(bed: &Bed) {
    let desk = Desk::new(bed);
    at_once(|task| {
        let desk = desk.clone();
        async move {
            if task % 2 == 0 {
                desk.store(desk.broadcast(&format!("b{task}"))).await;
            } else {
                assert!(desk.join(&format!("agent{task}")).await);
            }
        }
    })
    .await;
    let sent = ids(&desk.drain(desk.whole_inbox("agent1")).await.rows);
    assert_eq!(sent.len(), TASKS / 2);
    for task in (1..TASKS).step_by(2) {
        assert_eq!(desk.tail(&format!("agent{task}")).await, sent, "agent{task}");
    }
}

async fn of_many_that_mark_a_message_one_found_it_unread(bed: &Bed) {
    let desk = Desk::new(bed);
    for id in ["m1", "m2"] {
        desk.store(desk.letter(id, &["ada"])).await;
    }
    let marked = at_once(|_| {
        let desk = desk.clone();
        async move { desk.mark_read("ada", &["m1", "m2"]).await }
    })
    .await;
    assert_eq!(marked.iter().sum::<u32>(), 2);
    assert_eq!(desk.counts("ada").await, (2, 0, 2));
}
