//! Imports: a message arrives with the state that it had elsewhere.

use super::desk::{Desk, after, document, ids, instance, merge};
use crate::conformance::{Bed, cases};
use mainstay_core::api::Timestamp;
use mainstay_core::api::mail::{Ack, Imported, Receipt};
use mainstay_core::mail::{Append, InboxLimits, ListQuery, Merge};

cases! {
    ($) mail_merging_tests, mail::merging:
    an_import_creates_a_message_with_its_state_and_its_time,
    an_import_that_is_repeated_changes_nothing,
    an_import_adds_what_is_missing_and_replaces_nothing_that_stands,
    an_acknowledgement_that_is_imported_marks_the_message_as_read,
    another_document_under_the_same_id_is_a_conflict_and_nothing_is_written,
    an_imported_broadcast_reaches_members_and_those_of_its_receipts,
    an_import_delivers_a_stored_broadcast_to_recipients_that_it_did_not_reach,
    a_receipt_of_a_stranger_to_a_named_message_adds_nothing,
    settling_a_stored_message_clears_it_for_everyone,
    a_message_once_settled_stays_settled,
    a_dry_run_tells_and_writes_nothing,
    an_import_is_never_refused_and_the_bounds_apply,
    a_request_id_of_an_import_is_ignored,
}

const NONE: [&str; 0] = [];

fn acked(name: &str, at: Timestamp, comment: &str) -> Receipt {
    let ack = Ack { by: instance(name), at, comment: Some(comment.into()) };
    Receipt { recipient: instance(name), read_at: Some(at), ack: Some(ack) }
}

fn read(name: &str, at: Timestamp) -> Receipt {
    Receipt { recipient: instance(name), read_at: Some(at), ack: None }
}

fn unread(name: &str) -> Receipt {
    Receipt { recipient: instance(name), read_at: None, ack: None }
}

fn with(append: Append, receipts: &[Receipt]) -> Merge {
    Merge { receipts: receipts.to_vec(), ..merge(append) }
}

async fn import(desk: &Desk, merge: Merge) -> Imported {
    desk.mail.merge(merge).await.expect("merge")
}

async fn receipts(desk: &Desk, id: &str) -> Vec<Receipt> {
    desk.row(id).await.receipts.expect("every receipt")
}

async fn an_import_creates_a_message_with_its_state_and_its_time(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.store(desk.letter("m1", &["ada"])).await;
    let long_ago = after(desk.now, -1_000_000_000);
    let append = Append { timestamp: long_ago, ..desk.letter("m2", &["ada", "bob", "cyd"]) };
    let state = [acked("ada", long_ago, "done"), read("cyd", long_ago)];
    assert_eq!(import(&desk, with(append, &state)).await, Imported::Created);

    assert_eq!(receipts(&desk, "m2").await, [state[0].clone(), unread("bob"), state[1].clone()]);
    assert_eq!(desk.list(desk.all()).await, ["m1", "m2"], "listed by its own time");
    assert_eq!(desk.tail("ada").await, ["m1", "m2"], "it arrived last");
    assert_eq!(desk.counts("ada").await, (2, 1, 1));
    assert_eq!(desk.counts("bob").await, (1, 1, 1));
    assert_eq!(desk.counts("cyd").await, (1, 0, 1));
}

async fn an_import_that_is_repeated_changes_nothing(bed: &Bed) {
    let desk = Desk::new(bed);
    let state = [acked("ada", desk.now, "done"), unread("bob")];
    let named = || with(desk.letter("m1", &["ada", "bob"]), &state);
    let broadcast = || with(desk.broadcast("b1"), &state);
    let settled = || Merge { settled: true, ..with(desk.letter("m2", &["ada"]), &[]) };
    for merge in [named(), broadcast(), settled()] {
        assert_eq!(import(&desk, merge).await, Imported::Created);
    }
    let before = desk.rows(ListQuery { receipts: true, ..desk.all() }).await;
    let later = desk.later(60_000);
    for merge in [named(), broadcast(), settled()] {
        let append = Append { now: later.now, ..merge.append };
        assert_eq!(import(&later, Merge { append, ..merge }).await, Imported::Unchanged);
    }
    assert_eq!(import(&desk, merge(desk.letter("m1", &["ada", "bob"]))).await, Imported::Unchanged);
    assert_eq!(desk.rows(ListQuery { receipts: true, ..desk.all() }).await, before);
    assert_eq!(desk.counts("ada").await, (3, 0, 0));
    assert_eq!(desk.counts("bob").await, (2, 2, 2));
}

async fn an_import_adds_what_is_missing_and_replaces_nothing_that_stands(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.store(desk.letter("m1", &["ada", "bob", "cyd"])).await;
    desk.ack_with("m1", "ada", "first").await;
    desk.mark_read("cyd", &["m1"]).await;
    let stands = receipts(&desk, "m1").await;

    let other = after(desk.now, 1_000);
    let news = [acked("ada", other, "second"), acked("bob", other, "too"), read("cyd", other)];
    assert_eq!(import(&desk, with(desk.letter("m1", &["ada", "bob", "cyd"]), &news)).await, Imported::Updated);
    assert_eq!(receipts(&desk, "m1").await, [stands[0].clone(), news[1].clone(), stands[2].clone()]);
    assert_eq!(desk.counts("bob").await, (1, 0, 0));
    assert_eq!(desk.counts("cyd").await, (1, 0, 1));
    let delivery = desk.row("m1").await.delivery;
    assert_eq!((delivery.delivered, delivery.read, delivery.acknowledged), (3, 3, 2));
    let again = with(desk.letter("m1", &["ada", "bob", "cyd"]), &[acked("ada", other, "third")]);
    assert_eq!(import(&desk, again).await, Imported::Unchanged);
}

async fn an_acknowledgement_that_is_imported_marks_the_message_as_read(bed: &Bed) {
    let desk = Desk::new(bed);
    let ack_alone = Receipt { read_at: None, ..acked("ada", desk.now, "done") };
    let send = || with(desk.letter("m1", &["ada"]), std::slice::from_ref(&ack_alone));
    assert_eq!(import(&desk, send()).await, Imported::Created);
    assert_eq!(receipts(&desk, "m1").await, [acked("ada", desk.now, "done")]);
    assert_eq!(desk.counts("ada").await, (1, 0, 0));
    assert_eq!(import(&desk, send()).await, Imported::Unchanged);
}

async fn another_document_under_the_same_id_is_a_conflict_and_nothing_is_written(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.store(desk.letter("m1", &["ada"])).await;
    let before = desk.row("m1").await;
    let other = Append { document: document("m1", b"other"), ..desk.letter("m1", &["ada"]) };
    let merge = Merge { settled: true, ..with(other, &[acked("ada", desk.now, "done")]) };
    assert_eq!(import(&desk, Merge { dry_run: true, ..merge.clone() }).await, Imported::Conflict);
    assert_eq!(import(&desk, merge).await, Imported::Conflict);
    assert_eq!(desk.row("m1").await, before);
    assert_eq!(desk.counts("ada").await, (1, 1, 1));
}

async fn an_imported_broadcast_reaches_members_and_those_of_its_receipts(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.join("ada").await;
    desk.join("lead").await;
    let state = [acked("bob", desk.now, "done"), unread("cyd")];
    assert_eq!(import(&desk, with(desk.broadcast("b1"), &state)).await, Imported::Created);
    assert_eq!(receipts(&desk, "b1").await, [unread("ada"), state[0].clone(), unread("cyd")]);
    assert_eq!(desk.counts("ada").await, (1, 1, 1));
    assert_eq!(desk.counts("bob").await, (1, 0, 0));
    assert_eq!(desk.counts("cyd").await, (1, 1, 1));
    assert_eq!(desk.counts("lead").await, (0, 0, 0));
    assert!(desk.join("bob").await, "a receipt alone makes no member");
    assert_eq!(desk.tail("bob").await, ["b1"], "and it is not delivered twice");
    assert_eq!(desk.counts("bob").await, (1, 0, 0));
}

async fn an_import_delivers_a_stored_broadcast_to_recipients_that_it_did_not_reach(bed: &Bed) {
    let desk = Desk::new(bed);
    let offset = desk.store(desk.broadcast("b1")).await;
    desk.store(desk.letter("m1", &["ada"])).await;
    assert_eq!(import(&desk, with(desk.broadcast("b1"), &[unread("ada")])).await, Imported::Updated);
    let rows = desk.drain(desk.whole_inbox("ada")).await.rows;
    assert_eq!((ids(&rows), rows[0].offset), (vec!["b1".to_owned(), "m1".to_owned()], offset));
    assert_eq!(desk.counts("ada").await, (2, 2, 2));
    assert_eq!(desk.row("b1").await.delivery.delivered, 1);
    assert_eq!(import(&desk, with(desk.broadcast("b1"), &[unread("ada")])).await, Imported::Unchanged);
    let state = [acked("ada", desk.now, "done"), acked("bob", desk.now, "done")];
    assert_eq!(import(&desk, with(desk.broadcast("b1"), &state)).await, Imported::Updated);
    assert_eq!(receipts(&desk, "b1").await, state);
    assert_eq!(desk.counts("ada").await, (2, 1, 1));
}

async fn a_receipt_of_a_stranger_to_a_named_message_adds_nothing(bed: &Bed) {
    let desk = Desk::new(bed);
    let stranger = [acked("stranger", desk.now, "done")];
    assert_eq!(import(&desk, with(desk.letter("m1", &["ada"]), &stranger)).await, Imported::Created);
    assert_eq!(receipts(&desk, "m1").await, [unread("ada")]);
    assert_eq!(import(&desk, with(desk.letter("m1", &["ada"]), &stranger)).await, Imported::Unchanged);
    assert_eq!(desk.counts("stranger").await, (0, 0, 0));
    assert_eq!(desk.row("m1").await.delivery.delivered, 1);
}

async fn settling_a_stored_message_clears_it_for_everyone(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.store(desk.letter("m1", &["ada", "bob"])).await;
    desk.store(desk.letter("m2", &["ada"])).await;
    desk.mark_read("ada", &["m1"]).await;
    let settled = || Merge { settled: true, ..merge(desk.letter("m1", &["ada", "bob"])) };
    assert_eq!(import(&desk, settled()).await, Imported::Updated);
    assert!(desk.row("m1").await.settled);
    assert_eq!(desk.counts("ada").await, (2, 1, 1));
    assert_eq!(desk.counts("bob").await, (1, 0, 0));
    assert_eq!(desk.list(desk.pending("bob")).await, NONE);
    assert_eq!(desk.unread("bob").await, NONE);
    assert_eq!(desk.tail("bob").await, ["m1"]);
    assert_eq!(desk.list(ListQuery { pending: true, ..desk.all() }).await, ["m2"]);
    assert_eq!(desk.mail.stats(&desk.namespace).await.expect("stats").pending_messages, 1);
    assert_eq!(import(&desk, settled()).await, Imported::Unchanged);
    desk.ack("m1", "bob").await;
    assert_eq!(desk.counts("bob").await, (1, 0, 0), "an acknowledgement is recorded, and clears nothing twice");
    assert_eq!(desk.row("m1").await.delivery.acknowledged, 1);
}

async fn a_message_once_settled_stays_settled(bed: &Bed) {
    let desk = Desk::new(bed);
    import(&desk, Merge { settled: true, ..merge(desk.broadcast("b1")) }).await;
    assert_eq!(import(&desk, merge(desk.broadcast("b1"))).await, Imported::Unchanged);
    desk.join("ada").await;
    assert_eq!(desk.tail("ada").await, ["b1"]);
    assert_eq!(desk.counts("ada").await, (1, 0, 0), "who joins later need not read it either");
    assert!(desk.row("b1").await.settled);
}

async fn a_dry_run_tells_and_writes_nothing(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.store(desk.letter("m1", &["ada"])).await;
    let before = desk.drain(desk.whole_inbox("ada")).await;
    let tell = async |merge: Merge| import(&desk, Merge { dry_run: true, ..merge }).await;
    assert_eq!(tell(merge(desk.letter("m2", &["ada"]))).await, Imported::Created);
    assert_eq!(tell(merge(desk.letter("m1", &["ada"]))).await, Imported::Unchanged);
    let ack = [acked("ada", desk.now, "done")];
    assert_eq!(tell(with(desk.letter("m1", &["ada"]), &ack)).await, Imported::Updated);
    let settled = Merge { settled: true, ..merge(desk.letter("m1", &["ada"])) };
    assert_eq!(tell(settled).await, Imported::Updated);

    let now = desk.drain(desk.whole_inbox("ada")).await;
    assert_eq!((now.rows, now.position), (before.rows, before.position));
    assert_eq!(desk.find("m2").await, None);
    assert_eq!(desk.counts("ada").await, (1, 1, 1));
}

async fn an_import_is_never_refused_and_the_bounds_apply(bed: &Bed) {
    let desk = Desk::new(bed).bounded(InboxLimits { max_inbox: 2, max_pending: 1, max_messages: 3 });
    for id in ["p1", "p2", "p3", "p4"] {
        assert_eq!(import(&desk, merge(desk.letter(id, &["ada"]))).await, Imported::Created, "{id}");
    }
    assert_eq!(desk.tail("ada").await, ["p1", "p2", "p3", "p4"], "what waits is kept beyond every bound");
    let other = Desk::new(bed).bounded(InboxLimits { max_inbox: 2, max_pending: 1, max_messages: 3 });
    for id in ["n1", "n2", "n3", "n4"] {
        assert_eq!(import(&other, merge(other.note(id, &["ada"]))).await, Imported::Created, "{id}");
    }
    assert_eq!(other.tail("ada").await, ["n3", "n4"]);
    assert_eq!(other.list(other.all()).await, ["n4", "n3", "n2"]);
}

async fn a_request_id_of_an_import_is_ignored(bed: &Bed) {
    let desk = Desk::new(bed);
    let memo = super::desk::memo("owner r1", "same", desk.now);
    let append = Append { memo: memo.clone(), ..desk.letter("m1", &["ada"]) };
    assert_eq!(import(&desk, merge(append)).await, Imported::Created);
    desk.store(Append { memo: memo.clone(), ..desk.letter("m2", &["ada"]) }).await;
    let append = Append { memo, ..desk.letter("m3", &["ada"]) };
    assert_eq!(import(&desk, merge(append)).await, Imported::Created);
}
