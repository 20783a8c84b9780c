//! What expires: invisible at once, deleted by the purge, and nothing of it stays behind.

use super::desk::{Desk, MINUTE_MS, ROOMY, after, document, instance, memo, merge, message_id};
use crate::conformance::{Bed, Window, cases};
use mainstay_core::api::mail::{Imported, MailStats};
use mainstay_core::mail::{AckOutcome, Append, Appended, InboxLimits, ListQuery, Merge};

cases! {
    ($) mail_expiry_tests, mail::expiry:
    what_has_expired_is_invisible_to_every_read_at_once,
    an_expired_message_is_absent_for_a_send_and_an_import,
    what_has_expired_fills_no_inbox,
    an_expired_message_is_not_imported,
    who_joins_receives_no_expired_broadcast,
    a_purge_deletes_what_has_expired_with_everything_that_belongs_to_it,
    a_purge_deletes_at_most_as_many_as_it_may,
    a_purge_reaches_every_namespace,
    what_expired_unread_is_told,
    a_position_survives_the_purge_of_everything,
    an_offset_is_not_used_twice_after_a_purge,
    a_request_id_outlives_its_message,
    members_not_seen_are_forgotten_and_may_join_again,
}

const NONE: [&str; 0] = [];

fn desk_in(bed: &Bed, window: &Window) -> Desk {
    Desk::on(bed.stores(), bed.namespace(), window.start)
}

/// Ends a minute after the present of the desk.
fn short(desk: &Desk, append: Append) -> Append {
    Append { expires_at: after(desk.now, MINUTE_MS), ..append }
}

async fn what_has_expired_is_invisible_to_every_read_at_once(bed: &Bed) {
    let window = bed.window().await;
    let desk = desk_in(bed, &window);
    desk.join("ada").await;
    desk.store(short(&desk, desk.letter("m1", &["ada"]))).await;
    desk.store(short(&desk, desk.broadcast("b1"))).await;
    desk.store(desk.letter("m2", &["ada"])).await;

    let before = desk.later(MINUTE_MS - 1);
    assert_eq!(before.list(before.inbox("ada")).await, ["m2", "b1", "m1"]);
    assert_eq!(before.tail("ada").await, ["m1", "b1", "m2"]);
    for past in [desk.later(MINUTE_MS), desk.later(2 * MINUTE_MS)] {
        assert_eq!(past.find("m1").await, None);
        assert_eq!(past.list(past.all()).await, ["m2"]);
        assert_eq!(past.list(past.inbox("ada")).await, ["m2"]);
        assert_eq!(past.list(past.inbox("all")).await, NONE);
        assert_eq!(past.list(past.pending("ada")).await, ["m2"]);
        assert_eq!(past.list(ListQuery { pending: true, ..past.all() }).await, ["m2"]);
        assert_eq!(past.tail("ada").await, ["m2"]);
        assert_eq!(past.unread("ada").await, ["m2"]);
        assert_eq!(past.ack("m1", "ada").await, AckOutcome::NotFound);
        assert_eq!(past.mark_read("ada", &["b1"]).await, 0);
    }
}

async fn an_expired_message_is_absent_for_a_send_and_an_import(bed: &Bed) {
    let window = bed.window().await;
    let desk = desk_in(bed, &window);
    for id in ["m1", "m2", "m3"] {
        desk.store(short(&desk, desk.letter(id, &["ada"]))).await;
    }
    assert_eq!(
        desk.later(MINUTE_MS - 1).append(desk.later(MINUTE_MS - 1).letter("m1", &["bob"])).await,
        Appended::DuplicateId
    );
    let past = desk.later(MINUTE_MS);
    past.store(past.note("m1", &["bob"])).await;
    let imported = past.mail.merge(merge(past.note("m2", &["bob"]))).await.expect("merge");
    assert_eq!(imported, Imported::Created);

    assert_eq!(past.tail("bob").await, ["m1", "m2"]);
    assert_eq!(past.tail("ada").await, NONE);
    assert_eq!(past.row("m1").await.delivery.delivered, 1);
    assert!(past.purge().await <= 1, "m3 at most is left to delete: an append may have deleted it");
    assert_eq!(past.tail("bob").await, ["m1", "m2"]);
    assert_eq!(past.counts("ada").await, (0, 0, 0));
    assert_eq!(past.counts("bob").await, (2, 2, 0));
}

async fn what_has_expired_fills_no_inbox(bed: &Bed) {
    let window = bed.window().await;
    let limits = InboxLimits { max_pending: 2, ..ROOMY };
    let (desk, other) = (desk_in(bed, &window).bounded(limits), desk_in(bed, &window));
    for number in 0..20 {
        other.store(short(&other, other.letter(&format!("m{number}"), &["ada"]))).await;
    }
    desk.join("bob").await;
    for id in ["m1", "m2"] {
        desk.store(Append { expires_at: after(desk.now, 2 * MINUTE_MS), ..desk.letter(id, &["ada"]) }).await;
    }
    desk.store(short(&desk, desk.broadcast("b1"))).await;
    desk.store(desk.letter("m3", &["bob"])).await;

    let past = desk.later(MINUTE_MS);
    assert_eq!(past.append(past.letter("m4", &["ada"])).await, Appended::InboxFull(instance("ada")), "not yet");
    past.store(past.broadcast("b2")).await;
    assert_eq!(past.append(past.letter("m4", &["bob"])).await, Appended::InboxFull(instance("bob")));
    assert_eq!(past.tail("bob").await, ["m3", "b2"]);
    let past = desk.later(2 * MINUTE_MS);
    past.store(past.letter("m4", &["ada"])).await;
    past.store(past.letter("m5", &["ada"])).await;
    assert_eq!(past.append(past.letter("m6", &["ada"])).await, Appended::InboxFull(instance("ada")));
    assert_eq!(past.tail("ada").await, ["m4", "m5"]);
    past.purge().await;
    assert_eq!(past.counts("ada").await, (2, 2, 2));
    assert_eq!(past.counts("bob").await, (2, 2, 2));
}

async fn an_expired_message_is_not_imported(bed: &Bed) {
    let window = bed.window().await;
    let desk = desk_in(bed, &window);
    desk.join("ada").await;
    let first = desk.store(desk.letter("m1", &["ada"])).await;
    let before = desk.drain(desk.whole_inbox("ada")).await;
    let stats = desk.mail.stats(&desk.namespace).await.expect("stats");
    for expires_at in [desk.now, after(desk.now, -MINUTE_MS)] {
        let other_document = Append { document: document("m1", b"another"), ..desk.letter("m1", &["ada"]) };
        for append in [desk.letter("m2", &["ada", "bob"]), desk.broadcast("b1"), other_document] {
            for dry_run in [true, false] {
                let append = Append { expires_at, ..append.clone() };
                let imported = desk.mail.merge(Merge { dry_run, ..merge(append) }).await.expect("merge");
                assert_eq!(imported, Imported::Unchanged);
            }
        }
    }

    let now = desk.drain(desk.whole_inbox("ada")).await;
    assert_eq!((now.rows, now.position, now.dropped_to), (before.rows, before.position, None));
    assert_eq!(desk.list(desk.all()).await, ["m1"]);
    assert_eq!(desk.mail.stats(&desk.namespace).await.expect("stats"), stats);
    assert_eq!(desk.counts("bob").await, (0, 0, 0));
    assert_eq!(desk.purge().await, 0, "nothing was stored");
    let second = desk.store(desk.letter("m2", &["ada"])).await;
    assert!(second > first, "{second} after {first}");
    assert_eq!(desk.tail("ada").await, ["m1", "m2"]);
}

async fn who_joins_receives_no_expired_broadcast(bed: &Bed) {
    let window = bed.window().await;
    let desk = desk_in(bed, &window);
    desk.store(short(&desk, desk.broadcast("b1"))).await;
    desk.store(desk.broadcast("b2")).await;
    let past = desk.later(MINUTE_MS);
    past.join("ada").await;
    assert_eq!(past.tail("ada").await, ["b2"]);
    assert_eq!(past.counts("ada").await, (1, 1, 1));
}

async fn a_purge_deletes_what_has_expired_with_everything_that_belongs_to_it(bed: &Bed) {
    let window = bed.window().await;
    let desk = desk_in(bed, &window);
    desk.join("ada").await;
    desk.store(short(&desk, desk.letter("m1", &["ada", "bob"]))).await;
    desk.store(short(&desk, desk.broadcast("b1"))).await;
    desk.store(short(&desk, desk.note("m2", &["ada"]))).await;
    desk.ack("m1", "ada").await;
    desk.mark_read("ada", &["m2"]).await;
    assert_eq!(desk.later(MINUTE_MS - 1).purge().await, 0);

    let past = desk.later(MINUTE_MS);
    assert_eq!(past.purge().await, 3);
    assert_eq!(past.purge().await, 0);
    for name in ["ada", "bob"] {
        assert_eq!(past.counts(name).await, (0, 0, 0), "{name}");
        assert_eq!(past.list(past.pending(name)).await, NONE);
    }
    let stats = past.mail.stats(&past.namespace).await.expect("stats");
    assert_eq!(stats, MailStats { instances: 1, ..MailStats::default() }, "no index and no counter leaks");
    past.store(past.letter("m1", &["bob"])).await;
    assert_eq!(past.row("m1").await.receipts.map(|receipts| receipts.len()), Some(1), "the earlier receipts are gone");
    assert_eq!(past.counts("ada").await, (0, 0, 0));
}

async fn a_purge_deletes_at_most_as_many_as_it_may(bed: &Bed) {
    let window = bed.window().await;
    let desk = desk_in(bed, &window);
    for number in 0..5 {
        desk.store(short(&desk, desk.letter(&format!("m{number}"), &["ada"]))).await;
    }
    desk.store(desk.letter("kept", &["ada"])).await;
    let past = desk.later(MINUTE_MS);
    let since = after(desk.now, -MINUTE_MS);
    let purge = async |limit: u32| past.mail.purge(past.now, since, limit).await.expect("purge");
    let first = purge(2).await;
    assert!((1..=2).contains(&first), "{first} of at most 2");
    assert_eq!(first + past.purge().await, 5);
    assert_eq!(past.tail("ada").await, ["kept"]);
    assert_eq!(past.counts("ada").await, (1, 1, 1));
}

async fn a_purge_reaches_every_namespace(bed: &Bed) {
    let window = bed.window().await;
    let desks = [desk_in(bed, &window), desk_in(bed, &window), desk_in(bed, &window)];
    for desk in &desks {
        desk.store(short(desk, desk.letter("m1", &["ada"]))).await;
    }
    assert_eq!(desks[0].later(MINUTE_MS).purge().await, 3);
    for desk in &desks {
        assert_eq!(desk.counts("ada").await, (0, 0, 0));
    }
}

async fn what_expired_unread_is_told(bed: &Bed) {
    let window = bed.window().await;
    let desk = desk_in(bed, &window);
    let mut offsets = Vec::new();
    for id in ["m1", "m2", "m3"] {
        offsets.push(desk.store(short(&desk, desk.letter(id, &["ada", "bob"]))).await);
    }
    desk.ack("m3", "ada").await;
    desk.mark_read("bob", &["m1", "m2", "m3"]).await;
    let past = desk.later(MINUTE_MS);
    past.purge().await;
    assert_eq!(past.dropped_to("ada").await, Some(offsets[1]), "the newest that was not read");
    assert_eq!(past.dropped_to("bob").await, None);
    assert_eq!(past.dropped_to("cyd").await, None);
}

async fn a_position_survives_the_purge_of_everything(bed: &Bed) {
    let window = bed.window().await;
    let desk = desk_in(bed, &window);
    desk.store(short(&desk, desk.letter("m1", &["ada"]))).await;
    let before = desk.drain(desk.whole_inbox("ada")).await;
    let past = desk.later(MINUTE_MS);
    past.purge().await;
    let after_purge = past.drain(past.whole_inbox("ada")).await;
    assert_eq!((after_purge.epoch, after_purge.position), (before.epoch, before.position));
    past.store(past.letter("m2", &["ada"])).await;
    let query = mainstay_core::mail::TailQuery { after: before.position, ..past.whole_inbox("ada") };
    assert_eq!(super::desk::ids(&past.drain(query).await.rows), ["m2"]);
}

async fn an_offset_is_not_used_twice_after_a_purge(bed: &Bed) {
    let window = bed.window().await;
    let desk = desk_in(bed, &window).later(10 * MINUTE_MS);
    let first = desk.store(short(&desk, desk.letter("m1", &["ada"]))).await;
    assert_eq!(desk.later(MINUTE_MS).purge().await, 1);
    let earlier = desk.later(-5 * MINUTE_MS);
    let second = earlier.store(earlier.letter("m1", &["ada"])).await;
    assert!(second > first, "{second} after {first}, though the clock went back");
}

async fn a_request_id_outlives_its_message(bed: &Bed) {
    let window = bed.window().await;
    let desk = desk_in(bed, &window);
    let memo = memo("owner r1", "same", desk.now);
    desk.store(short(&desk, Append { memo: memo.clone(), ..desk.letter("m1", &["ada"]) })).await;
    let past = desk.later(MINUTE_MS);
    let repeat = || Append { memo: memo.clone(), ..past.letter("m2", &["ada"]) };
    assert_eq!(past.append(repeat()).await, Appended::Replayed(message_id("m1")));
    past.purge().await;
    assert_eq!(past.append(repeat()).await, Appended::Replayed(message_id("m1")), "or a late retry would send again");
}

async fn members_not_seen_are_forgotten_and_may_join_again(bed: &Bed) {
    let window = bed.window().await;
    let desk = desk_in(bed, &window);
    assert!(desk.join("ada").await);
    desk.store(desk.broadcast("b1")).await;
    let later = desk.later(12 * 60 * MINUTE_MS);
    assert!(later.join("bob").await);
    later.purge_since(after(desk.now, 6 * 60 * MINUTE_MS)).await;

    let appended = later.append(Append { from: instance("cyd"), ..later.broadcast("b2") }).await;
    assert!(matches!(appended, Appended::Stored { delivered: 1, .. }), "bob alone is a member: {appended:?}");
    assert_eq!(later.tail("bob").await, ["b1", "b2"]);
    assert!(!later.join("bob").await);
    assert!(later.join("ada").await, "ada is new again");
    assert_eq!(later.tail("ada").await, ["b1", "b2"], "what it has is not delivered again, what it missed is");
    assert_eq!(later.counts("ada").await, (2, 2, 2));
}
