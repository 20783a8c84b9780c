//! Bounds: what leaves a full inbox or namespace, and what is refused.

use super::desk::{Desk, ROOMY, ids, instance};

use crate::conformance::{Bed, cases};
use futures::future::join_all;
use mainstay_core::api::Offset;
use mainstay_core::api::mail::Ack;
use mainstay_core::mail::{AckOutcome, Appended, InboxLimits, TailQuery};

cases! {
    ($) mail_bounds_tests, mail::bounds:
    above_its_bound_the_oldest_that_wait_for_nothing_leave_an_inbox,
    what_left_an_inbox_stays_in_the_namespace_and_may_be_acknowledged,
    what_waits_for_an_acknowledgement_never_leaves,
    what_left_unread_is_told_and_what_left_read_is_not,
    an_acknowledged_message_may_leave,
    a_full_inbox_refuses_what_asks_for_an_acknowledgement_and_nothing_is_written,
    the_first_full_inbox_in_order_is_named,
    an_acknowledgement_makes_room_for_the_next_message,
    a_broadcast_is_refused_where_a_member_is_full,
    above_its_bound_the_oldest_that_wait_for_nothing_are_deleted_from_a_namespace,
    a_namespace_full_of_pending_messages_refuses_and_nothing_is_written,
    what_may_be_deleted_is_found_behind_any_number_of_pending_messages,
    a_namespace_above_its_bound_refuses_nothing_while_a_message_may_be_deleted,
    an_inbox_is_trimmed_behind_any_number_of_pending_messages,
}

/// Messages written at a time: fewer than any store queues.
const AT_A_TIME: usize = 50;

const SMALL: InboxLimits = InboxLimits { max_inbox: 3, max_pending: 2, max_messages: 1_000 };

fn few(max_messages: u32) -> InboxLimits {
    InboxLimits { max_messages, ..ROOMY }
}

/// Appends letters to `ada`, `p0` and on, in any order.
async fn store_letters(desk: &Desk, count: usize) {
    let numbers: Vec<usize> = (0..count).collect();
    for some in numbers.chunks(AT_A_TIME) {
        join_all(some.iter().map(|number| desk.store(desk.letter(&format!("p{number}"), &["ada"])))).await;
    }
}

async fn above_its_bound_the_oldest_that_wait_for_nothing_leave_an_inbox(bed: &Bed) {
    let desk = Desk::new(bed).bounded(SMALL);
    for id in ["m1", "m2", "m3"] {
        desk.store(desk.note(id, &["ada", "bob"])).await;
    }
    assert_eq!(desk.tail("ada").await, ["m1", "m2", "m3"]);
    desk.store(desk.note("m4", &["ada"])).await;

    assert_eq!(desk.tail("ada").await, ["m2", "m3", "m4"]);
    assert_eq!(desk.list(desk.inbox("ada")).await, ["m4", "m3", "m2"]);
    assert_eq!(desk.counts("ada").await, (3, 3, 0));
    assert_eq!(desk.tail("bob").await, ["m1", "m2", "m3"], "each inbox has a bound of its own");
}

async fn what_left_an_inbox_stays_in_the_namespace_and_may_be_acknowledged(bed: &Bed) {
    let desk = Desk::new(bed).bounded(SMALL);
    for id in ["m1", "m2", "m3", "m4"] {
        desk.store(desk.note(id, &["ada"])).await;
    }
    assert_eq!(desk.list(desk.all()).await, ["m4", "m3", "m2", "m1"]);
    assert_eq!(desk.row("m1").await.delivery.delivered, 1);
    assert!(desk.find_as("m1", Some("ada")).await.expect("m1 is kept").receipt.is_some());

    let counts = desk.counts("ada").await;
    assert_eq!(desk.mark_read("ada", &["m1"]).await, 0, "it is not in the inbox");
    assert!(matches!(desk.ack("m1", "ada").await, AckOutcome::Stands { already: false, .. }));
    let other = desk.ack_with("m1", "ada", "other words").await;
    assert!(matches!(other, AckOutcome::Stands { already: true, .. }), "{other:?}");
    assert_eq!(desk.row("m1").await.delivery.acknowledged, 1);
    assert_eq!(desk.counts("ada").await, counts, "what is not in the inbox does not count");
}

async fn what_waits_for_an_acknowledgement_never_leaves(bed: &Bed) {
    let desk = Desk::new(bed).bounded(SMALL);
    desk.store(desk.letter("p1", &["ada"])).await;
    desk.store(desk.note("n1", &["ada"])).await;
    desk.store(desk.letter("p2", &["ada"])).await;
    for id in ["n2", "n3", "n4"] {
        desk.store(desk.note(id, &["ada"])).await;
    }
    assert_eq!(desk.tail("ada").await, ["p1", "p2", "n4"]);
    assert_eq!(desk.counts("ada").await, (3, 3, 2));
}

async fn what_left_unread_is_told_and_what_left_read_is_not(bed: &Bed) {
    let desk = Desk::new(bed).bounded(SMALL);
    let mut offsets = Vec::new();
    for id in ["m1", "m2", "m3"] {
        offsets.push(desk.store(desk.note(id, &["ada"])).await);
    }
    assert_eq!(desk.dropped_to("ada").await, None);
    assert_eq!(desk.mark_read("ada", &["m1", "m3"]).await, 2);
    desk.store(desk.note("m4", &["ada"])).await;
    assert_eq!(desk.dropped_to("ada").await, None, "m1 was read");
    desk.store(desk.note("m5", &["ada"])).await;
    assert_eq!(desk.dropped_to("ada").await, Some(offsets[1]), "m2 was not");
    desk.store(desk.note("m6", &["ada"])).await;
    assert_eq!(desk.dropped_to("ada").await, Some(offsets[1]), "m3 was read");
    let limited = TailQuery { limit: 0, ..desk.whole_inbox("ada") };
    assert_eq!(desk.tail_page(&limited).await.dropped_to, Some(offsets[1]), "told with the head alone too");
    assert_eq!(desk.dropped_to("bob").await, None);
}

async fn an_acknowledged_message_may_leave(bed: &Bed) {
    let desk = Desk::new(bed).bounded(SMALL);
    desk.store(desk.letter("p1", &["ada"])).await;
    desk.ack("p1", "ada").await;
    for id in ["n1", "n2", "n3"] {
        desk.store(desk.note(id, &["ada"])).await;
    }
    assert_eq!(desk.tail("ada").await, ["n1", "n2", "n3"]);
    assert_eq!(desk.dropped_to("ada").await, None, "what is acknowledged was read");
}

async fn a_full_inbox_refuses_what_asks_for_an_acknowledgement_and_nothing_is_written(bed: &Bed) {
    let desk = Desk::new(bed).bounded(SMALL);
    desk.store(desk.letter("m1", &["bob"])).await;
    desk.store(desk.letter("m2", &["bob"])).await;
    let head = desk.tail_page(&desk.whole_inbox("ada")).await.position;

    let refused = desk.append(desk.letter("m3", &["ada", "bob", "cyd"])).await;
    assert_eq!(refused, Appended::InboxFull(instance("bob")));
    for name in ["ada", "cyd"] {
        assert_eq!(desk.counts(name).await, (0, 0, 0), "{name}: all or nothing");
    }
    assert!(desk.find("m3").await.is_none());
    assert_eq!(desk.tail_page(&desk.whole_inbox("ada")).await.position, head);
    desk.store(desk.note("m3", &["bob"])).await;
    assert_eq!(desk.tail("bob").await, ["m1", "m2", "m3"], "what asks for nothing still comes in");
}

async fn the_first_full_inbox_in_order_is_named(bed: &Bed) {
    let desk = Desk::new(bed).bounded(SMALL);
    for id in ["m1", "m2"] {
        desk.store(desk.letter(id, &["ada", "zoe"])).await;
    }
    assert_eq!(desk.append(desk.letter("m3", &["bob", "zoe", "ada"])).await, Appended::InboxFull(instance("zoe")));
    assert_eq!(desk.append(desk.letter("m3", &["ada", "bob", "zoe"])).await, Appended::InboxFull(instance("ada")));
}

async fn an_acknowledgement_makes_room_for_the_next_message(bed: &Bed) {
    let desk = Desk::new(bed).bounded(SMALL);
    desk.store(desk.letter("m1", &["ada"])).await;
    desk.store(desk.letter("m2", &["ada"])).await;
    assert_eq!(desk.append(desk.letter("m3", &["ada"])).await, Appended::InboxFull(instance("ada")));
    let ack = Ack { by: instance("lead"), at: desk.now, comment: None };
    desk.acknowledge("m1", "ada", ack).await;
    desk.store(desk.letter("m3", &["ada"])).await;
    assert_eq!(desk.append(desk.letter("m4", &["ada"])).await, Appended::InboxFull(instance("ada")));
    assert_eq!(desk.mark_read("ada", &["m2", "m3"]).await, 2);
    let refused = desk.append(desk.letter("m4", &["ada"])).await;
    assert_eq!(refused, Appended::InboxFull(instance("ada")), "reading is not acknowledging");
}

async fn a_broadcast_is_refused_where_a_member_is_full(bed: &Bed) {
    let desk = Desk::new(bed).bounded(SMALL);
    desk.join("ada").await;
    desk.join("bob").await;
    desk.store(desk.letter("m1", &["bob"])).await;
    desk.store(desk.letter("m2", &["bob"])).await;
    assert_eq!(desk.append(desk.broadcast("b1")).await, Appended::InboxFull(instance("bob")));
    assert_eq!(desk.counts("ada").await, (0, 0, 0));
    desk.ack("m1", "bob").await;
    desk.store(desk.broadcast("b1")).await;
    assert_eq!(desk.tail("ada").await, ["b1"]);
}

async fn above_its_bound_the_oldest_that_wait_for_nothing_are_deleted_from_a_namespace(bed: &Bed) {
    let desk = Desk::new(bed).bounded(few(3));
    desk.store(desk.letter("p1", &["ada"])).await;
    let second = desk.store(desk.note("n1", &["ada", "bob"])).await;
    desk.store(desk.note("n2", &["ada"])).await;
    desk.mark_read("bob", &["n1"]).await;
    desk.store(desk.note("n3", &["cyd"])).await;

    assert_eq!(desk.list(desk.all()).await, ["n3", "n2", "p1"]);
    assert!(desk.find("n1").await.is_none());
    assert_eq!(desk.counts("ada").await, (2, 2, 1));
    assert_eq!(desk.counts("bob").await, (0, 0, 0));
    assert_eq!(desk.dropped_to("ada").await, Some(second));
    assert_eq!(desk.dropped_to("bob").await, None, "bob had read it");
    assert_eq!(desk.mail.stats(&desk.namespace).await.expect("stats").total_messages, 3);
    desk.ack("p1", "ada").await;
    desk.store(desk.note("n1", &["ada"])).await;
    assert_eq!(desk.list(desk.all()).await, ["n1", "n3", "n2"], "its id is free, and p1 waits no more");
}

async fn a_namespace_full_of_pending_messages_refuses_and_nothing_is_written(bed: &Bed) {
    let desk = Desk::new(bed).bounded(few(2));
    desk.store(desk.letter("m1", &["ada"])).await;
    desk.store(desk.letter("m2", &["bob", "ada"])).await;
    assert_eq!(desk.append(desk.note("m3", &["ada"])).await, Appended::NamespaceFull);
    assert_eq!(desk.append(desk.letter("m3", &["cyd"])).await, Appended::NamespaceFull);
    desk.ack("m2", "ada").await;
    assert_eq!(desk.append(desk.note("m3", &["ada"])).await, Appended::NamespaceFull, "bob has not acknowledged");
    assert_eq!(desk.list(desk.all()).await, ["m2", "m1"]);
    desk.ack("m2", "bob").await;
    desk.store(desk.note("m3", &["ada"])).await;
    assert_eq!(desk.list(desk.all()).await, ["m3", "m1"]);
}

async fn what_may_be_deleted_is_found_behind_any_number_of_pending_messages(bed: &Bed) {
    let desk = Desk::new(bed).bounded(few(302));
    store_letters(&desk, 300).await;
    for id in ["n1", "n2", "n3", "n4"] {
        desk.store(desk.note(id, &["bob"])).await;
    }
    assert_eq!(desk.list(desk.inbox("bob")).await, ["n4", "n3"], "the oldest that wait for nothing");
    desk.store(desk.letter("p300", &["ada"])).await;
    desk.store(desk.letter("p301", &["ada"])).await;

    assert_eq!(desk.append(desk.note("n5", &["bob"])).await, Appended::NamespaceFull, "every message waits");
    assert_eq!(desk.counts("bob").await, (0, 0, 0));
    assert_eq!(desk.counts("ada").await, (302, 302, 302));
    desk.ack("p299", "ada").await;
    desk.store(desk.note("n5", &["bob"])).await;
    assert!(desk.find("p299").await.is_none());
    assert_eq!(desk.mail.stats(&desk.namespace).await.expect("stats").total_messages, 302);
}

async fn a_namespace_above_its_bound_refuses_nothing_while_a_message_may_be_deleted(bed: &Bed) {
    let desk = Desk::new(bed);
    for id in ["p1", "p2", "p3", "p4"] {
        desk.store(desk.letter(id, &["ada"])).await;
    }
    desk.store(desk.note("n1", &["ada"])).await;
    let lowered = desk.bounded(few(2));
    for (id, left) in [("n2", "n1"), ("n3", "n2")] {
        lowered.store(lowered.note(id, &["bob"])).await;
        assert!(desk.find(left).await.is_none(), "{left} made room for {id}");
    }
    lowered.store(lowered.letter("p5", &["bob"])).await;
    assert_eq!(lowered.append(lowered.note("n4", &["bob"])).await, Appended::NamespaceFull);
    assert_eq!(desk.list(desk.all()).await, ["p5", "p4", "p3", "p2", "p1"]);
}

async fn an_inbox_is_trimmed_behind_any_number_of_pending_messages(bed: &Bed) {
    let desk = Desk::new(bed).bounded(InboxLimits { max_inbox: 602, ..ROOMY });
    store_letters(&desk, 600).await;
    let mut offsets = Vec::new();
    for id in ["n1", "n2", "n3", "n4"] {
        offsets.push(desk.store(desk.note(id, &["ada"])).await);
    }
    let kept = async || {
        let notes = TailQuery { after: Offset(offsets[0].0 - 1), ..desk.whole_inbox("ada") };
        ids(&desk.drain(notes).await.rows)
    };
    assert_eq!(kept().await, ["n3", "n4"]);
    assert_eq!(desk.counts("ada").await, (602, 602, 600));
    assert_eq!(desk.dropped_to("ada").await, Some(offsets[1]));
    desk.store(desk.letter("p600", &["ada"])).await;
    desk.store(desk.letter("p601", &["ada"])).await;
    assert_eq!(kept().await, ["p600", "p601"]);
    desk.store(desk.letter("p602", &["ada"])).await;
    assert_eq!(desk.counts("ada").await, (603, 603, 603), "what waits never leaves");
    desk.ack("p599", "ada").await;
    desk.store(desk.letter("p603", &["ada"])).await;
    assert_eq!(desk.counts("ada").await, (603, 603, 603), "p599 made room");
    assert!(desk.find("p599").await.is_some(), "and stays in the namespace");
}
