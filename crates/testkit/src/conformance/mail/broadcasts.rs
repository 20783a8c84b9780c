//! Broadcasts: whom they reach, when, and the state of each recipient.

use super::desk::{Desk, document, id_of, ids, instance};
use crate::conformance::{Bed, cases};
use futures::{StreamExt, stream};
use mainstay_core::mail::{Append, Appended, ListQuery, MAX_BROADCASTS_ON_JOIN, TailQuery};

cases! {
    ($) mail_broadcasts_tests, mail::broadcasts:
    a_broadcast_reaches_every_member_and_never_its_sender,
    a_broadcast_in_an_empty_namespace_waits_for_members,
    the_recipient_all_lists_broadcasts_alone,
    one_acknowledgement_does_not_clear_a_broadcast_for_the_others,
    who_joins_receives_the_broadcasts_that_are_kept_at_their_place,
    who_joins_receives_no_direct_mail_of_others_and_not_its_own_broadcasts,
    joining_again_changes_nothing,
    who_joins_receives_the_newest_thousand_broadcasts_and_no_more,
    members_of_one_namespace_are_not_members_of_another,
}

async fn a_broadcast_reaches_every_member_and_never_its_sender(bed: &Bed) {
    let desk = Desk::new(bed);
    for name in ["ada", "bob", "lead"] {
        assert!(desk.join(name).await, "{name} is new");
    }
    let appended = desk.append(desk.broadcast("b1")).await;
    assert!(matches!(appended, Appended::Stored { delivered: 2, .. }), "{appended:?}");
    for name in ["ada", "bob"] {
        assert_eq!(desk.tail(name).await, ["b1"]);
        assert_eq!(desk.list(desk.pending(name)).await, ["b1"]);
        assert_eq!(desk.counts(name).await, (1, 1, 1));
    }
    assert_eq!(desk.counts("lead").await, (0, 0, 0));
    assert_eq!(desk.counts("stranger").await, (0, 0, 0));
}

async fn a_broadcast_in_an_empty_namespace_waits_for_members(bed: &Bed) {
    let desk = Desk::new(bed);
    let appended = desk.append(desk.broadcast("b1")).await;
    assert!(matches!(appended, Appended::Stored { delivered: 0, .. }), "{appended:?}");
    let waiting = ListQuery { pending: true, ..desk.all() };
    assert_eq!(desk.list(waiting.clone()).await, ["b1"], "nobody has acknowledged it");
    assert!(desk.join("ada").await);
    assert_eq!(desk.tail("ada").await, ["b1"]);
    desk.ack("b1", "ada").await;
    assert_eq!(desk.list(waiting).await, [""; 0]);
}

async fn the_recipient_all_lists_broadcasts_alone(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.join("ada").await;
    desk.store(desk.letter("m1", &["ada"])).await;
    desk.store(desk.broadcast("b1")).await;
    desk.store(Append { requires_ack: false, ..desk.broadcast("b2") }).await;
    assert_eq!(desk.list(desk.inbox("all")).await, ["b2", "b1"]);
    assert_eq!(desk.list(desk.pending("all")).await, ["b1"]);
    desk.ack("b1", "ada").await;
    assert_eq!(desk.list(desk.pending("all")).await, [""; 0]);
    assert_eq!(desk.list(desk.inbox("all")).await, ["b2", "b1"]);
}

async fn one_acknowledgement_does_not_clear_a_broadcast_for_the_others(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.join("ada").await;
    desk.join("bob").await;
    desk.store(desk.broadcast("b1")).await;
    desk.ack("b1", "ada").await;

    assert_eq!(desk.list(desk.pending("ada")).await, [""; 0]);
    assert_eq!(desk.list(desk.pending("bob")).await, ["b1"]);
    assert_eq!(desk.unread("bob").await, ["b1"]);
    assert_eq!(desk.counts("bob").await, (1, 1, 1));
    let delivery = desk.row("b1").await.delivery;
    assert_eq!((delivery.delivered, delivery.read, delivery.acknowledged), (2, 1, 1));
    assert_eq!(desk.list(ListQuery { pending: true, ..desk.all() }).await, ["b1"]);
    desk.ack("b1", "bob").await;
    assert_eq!(desk.list(ListQuery { pending: true, ..desk.all() }).await, [""; 0]);
}

async fn who_joins_receives_the_broadcasts_that_are_kept_at_their_place(bed: &Bed) {
    let desk = Desk::new(bed);
    let first = desk.store(desk.broadcast("b1")).await;
    desk.store(desk.letter("m1", &["ada"])).await;
    let second = desk.store(desk.broadcast("b2")).await;
    assert!(desk.join("ada").await);

    let rows = desk.drain(desk.whole_inbox("ada")).await.rows;
    assert_eq!(ids(&rows), ["b1", "m1", "b2"], "in the order of the log");
    assert_eq!((rows[0].offset, rows[2].offset), (first, second));
    assert_eq!(desk.counts("ada").await, (3, 3, 3));
    assert_eq!(desk.row("b1").await.delivery.delivered, 1);
    desk.store(desk.broadcast("b3")).await;
    assert_eq!(desk.tail("ada").await, ["b1", "m1", "b2", "b3"]);
}

async fn who_joins_receives_no_direct_mail_of_others_and_not_its_own_broadcasts(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.store(desk.letter("m1", &["bob"])).await;
    desk.store(Append { from: instance("ada"), ..desk.broadcast("b1") }).await;
    desk.store(desk.broadcast("b2")).await;
    desk.join("ada").await;
    assert_eq!(desk.tail("ada").await, ["b2"]);
}

async fn joining_again_changes_nothing(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.store(desk.broadcast("b1")).await;
    assert!(desk.join("ada").await);
    desk.mark_read("ada", &["b1"]).await;
    let later = desk.later(3_600_000);
    assert!(!desk.join("ada").await);
    assert!(!later.join("ada").await);
    assert_eq!(desk.counts("ada").await, (1, 0, 1), "it is not delivered twice, and stays read");
    assert_eq!(desk.row("b1").await.delivery.delivered, 1);
}

async fn who_joins_receives_the_newest_thousand_broadcasts_and_no_more(bed: &Bed) {
    let desk = Desk::new(bed);
    let oldest: Vec<String> = (0..3).map(|number| format!("old{number}")).collect();
    for id in &oldest {
        desk.store(desk.broadcast(id)).await;
    }
    let newest = 0..MAX_BROADCASTS_ON_JOIN;
    let sends = stream::iter(newest).map(|number| {
        let id = format!("new{number}");
        desk.store(Append { document: document(&id, b""), ..desk.broadcast(&id) })
    });
    sends.buffer_unordered(64).count().await;

    assert!(desk.join("ada").await);
    let rows = desk.drain(TailQuery { limit: 1_000, ..desk.whole_inbox("ada") }).await.rows;
    assert_eq!(rows.len(), MAX_BROADCASTS_ON_JOIN as usize);
    assert!(rows.iter().all(|row| !oldest.contains(&id_of(row))), "the oldest are left out");
    assert_eq!(desk.counts("ada").await, (1_000, 1_000, 1_000));
}

async fn members_of_one_namespace_are_not_members_of_another(bed: &Bed) {
    let (here, there) = (Desk::new(bed), Desk::new(bed));
    assert!(here.join("ada").await);
    there.store(there.broadcast("b1")).await;
    assert_eq!(there.counts("ada").await, (0, 0, 0));
    assert_eq!(here.counts("ada").await, (0, 0, 0));
    assert!(there.join("ada").await);
    assert_eq!(there.tail("ada").await, ["b1"]);
}
