//! The state of a message for each recipient: read, acknowledged.

use super::desk::{Desk, after, id_of, instance};
use crate::conformance::{Bed, cases};
use mainstay_core::api::mail::{Ack, Receipt};
use mainstay_core::mail::{AckOutcome, Append, ListQuery, Row};

cases! {
    ($) mail_receipts_tests, mail::receipts:
    an_acknowledgement_stands_with_its_words_and_marks_the_message_as_read,
    the_first_acknowledgement_stands,
    the_very_same_acknowledgement_is_answered_as_the_first_time,
    an_acknowledgement_may_be_given_by_another,
    an_acknowledgement_without_words_has_none,
    what_was_read_before_keeps_its_time_when_it_is_acknowledged,
    an_unknown_message_cannot_be_acknowledged,
    who_never_received_a_message_cannot_acknowledge_it,
    what_asks_for_nothing_may_be_acknowledged,
    marking_counts_what_was_unread_and_passes_over_the_rest,
    reading_is_not_acknowledging,
    reading_a_page_leaves_the_rest_unread,
    a_message_is_found_with_every_receipt_by_recipient,
    the_viewers_receipt_is_its_own,
    a_message_that_does_not_exist_is_not_found,
}

fn receipt_of(row: &Row) -> &Receipt {
    row.receipt.as_ref().expect("the viewer's receipt")
}

async fn an_acknowledgement_stands_with_its_words_and_marks_the_message_as_read(bed: &Bed) {
    let desk = Desk::new(bed);
    let offset = desk.store(desk.letter("m1", &["ada", "bob"])).await;
    let comment = "fertig: \"ja\" \u{0}\n{}*🦀";
    let outcome = desk.later(5).ack_with("m1", "ada", comment).await;
    let AckOutcome::Stands { row, epoch, already } = outcome else {
        panic!("{outcome:?}");
    };
    let at = after(desk.now, 5);
    let ack = Ack { by: instance("ada"), at, comment: Some(comment.into()) };
    assert!(!already);
    assert_eq!(epoch, desk.page(&desk.all()).await.epoch);
    assert_eq!((id_of(&row).as_str(), row.offset), ("m1", offset));
    assert_eq!(receipt_of(&row), &Receipt { recipient: instance("ada"), read_at: Some(at), ack: Some(ack) });
    assert_eq!((row.delivery.delivered, row.delivery.read, row.delivery.acknowledged), (2, 1, 1));
    assert_eq!(desk.counts("ada").await, (1, 0, 0));
    assert_eq!(desk.counts("bob").await, (1, 1, 1));
    assert_eq!(desk.unread("ada").await, [""; 0]);
    assert_eq!(desk.tail("ada").await, ["m1"], "it stays in the inbox");
}

async fn the_first_acknowledgement_stands(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.store(desk.letter("m1", &["ada"])).await;
    desk.ack_with("m1", "ada", "first").await;
    let outcome = desk.later(60_000).ack_with("m1", "ada", "second").await;
    let AckOutcome::Stands { row, already: true, .. } = outcome else {
        panic!("{outcome:?}");
    };
    let stands = receipt_of(&row).ack.as_ref().expect("an acknowledgement");
    assert_eq!((stands.comment.as_deref(), stands.at), (Some("first"), desk.now));
    assert_eq!(receipt_of(&row).read_at, Some(desk.now));
    assert_eq!(row.delivery.acknowledged, 1);
    assert_eq!(desk.counts("ada").await, (1, 0, 0));
}

async fn the_very_same_acknowledgement_is_answered_as_the_first_time(bed: &Bed) {
    let desk = Desk::new(bed);
    for (id, comment) in [("m1", None), ("m2", Some("")), ("m3", Some("done: \"ja\" 🦀"))] {
        desk.store(desk.letter(id, &["ada", "bob"])).await;
        let given = Ack { by: instance("ada"), at: desk.now, comment: comment.map(Into::into) };
        let again = || desk.acknowledge(id, "ada", given.clone());
        let first = again().await;
        assert!(matches!(first, AckOutcome::Stands { already: false, .. }), "{id:?}: {first:?}");
        assert_eq!(again().await, first, "a retry whose first answer was lost");

        let other = Some(comment.map_or(String::new(), |comment| format!("{comment}!")));
        for different in [
            Ack { by: instance("lead"), ..given.clone() },
            Ack { at: after(desk.now, 1), ..given.clone() },
            Ack { comment: other, ..given.clone() },
        ] {
            let outcome = desk.acknowledge(id, "ada", different).await;
            assert!(matches!(outcome, AckOutcome::Stands { already: true, .. }), "{id:?}: {outcome:?}");
        }
        assert_eq!(again().await, first, "the first one stands");
        assert_eq!(desk.row(id).await.delivery.acknowledged, 1);
    }
    assert_eq!(desk.counts("ada").await, (3, 0, 0));
    assert_eq!(desk.counts("bob").await, (3, 3, 3));
}

async fn an_acknowledgement_may_be_given_by_another(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.store(desk.letter("m1", &["ada", "bob"])).await;
    let ack = Ack { by: instance("lead"), at: desk.now, comment: None };
    desk.acknowledge("m1", "ada", ack.clone()).await;
    let receipts = desk.row("m1").await.receipts.expect("every receipt");
    assert_eq!(receipts[0].ack, Some(ack));
    assert_eq!(receipts[1].ack, None);
    assert_eq!(desk.list(desk.pending("ada")).await, [""; 0]);
    assert_eq!(desk.list(desk.pending("bob")).await, ["m1"]);
}

async fn an_acknowledgement_without_words_has_none(bed: &Bed) {
    let desk = Desk::new(bed);
    for (id, comment) in [("m1", None), ("m2", Some(String::new()))] {
        desk.store(desk.letter(id, &["ada"])).await;
        let ack = Ack { by: instance("ada"), at: desk.now, comment };
        desk.acknowledge(id, "ada", ack.clone()).await;
        let row = desk.find_as(id, Some("ada")).await.expect("the message");
        assert_eq!(receipt_of(&row).ack, Some(ack), "{id}");
    }
}

async fn what_was_read_before_keeps_its_time_when_it_is_acknowledged(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.store(desk.letter("m1", &["ada"])).await;
    assert_eq!(desk.mark_read("ada", &["m1"]).await, 1);
    desk.later(60_000).ack("m1", "ada").await;
    let row = desk.find_as("m1", Some("ada")).await.expect("m1");
    assert_eq!(receipt_of(&row).read_at, Some(desk.now));
    assert_eq!(desk.counts("ada").await, (1, 0, 0));
    assert_eq!(row.delivery.read, 1);
}

async fn an_unknown_message_cannot_be_acknowledged(bed: &Bed) {
    let (desk, other) = (Desk::new(bed), Desk::new(bed));
    other.store(other.letter("m1", &["ada"])).await;
    assert_eq!(desk.ack("m1", "ada").await, AckOutcome::NotFound);
    assert_eq!(other.counts("ada").await, (1, 1, 1));
}

async fn who_never_received_a_message_cannot_acknowledge_it(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.store(desk.letter("m1", &["ada"])).await;
    desk.store(desk.broadcast("b1")).await;
    assert_eq!(desk.ack("m1", "bob").await, AckOutcome::NotRecipient);
    assert_eq!(desk.ack("m1", "lead").await, AckOutcome::NotRecipient);
    assert_eq!(desk.ack("b1", "bob").await, AckOutcome::NotRecipient);
    let delivery = desk.row("m1").await.delivery;
    assert_eq!((delivery.delivered, delivery.acknowledged), (1, 0));
    assert_eq!(desk.counts("bob").await, (0, 0, 0));
}

async fn what_asks_for_nothing_may_be_acknowledged(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.store(desk.note("m1", &["ada"])).await;
    assert!(matches!(desk.ack("m1", "ada").await, AckOutcome::Stands { already: false, .. }));
    let other = desk.ack_with("m1", "ada", "other words").await;
    assert!(matches!(other, AckOutcome::Stands { already: true, .. }), "{other:?}");
    assert_eq!(desk.counts("ada").await, (1, 0, 0));
    assert_eq!(desk.row("m1").await.delivery.acknowledged, 1);
}

async fn marking_counts_what_was_unread_and_passes_over_the_rest(bed: &Bed) {
    let desk = Desk::new(bed);
    for id in ["m1", "m2", "m3"] {
        desk.store(desk.note(id, &["ada"])).await;
    }
    desk.store(desk.note("of bob", &["bob"])).await;
    desk.ack("m3", "ada").await;
    assert_eq!(desk.mark_read("ada", &["m1", "m1", "unknown", "of bob", "m3"]).await, 1);
    assert_eq!(desk.later(60_000).mark_read("ada", &["m1", "m2"]).await, 1);
    assert_eq!(desk.mark_read("ada", &["m1", "m2"]).await, 0);
    assert_eq!(desk.mark_read("stranger", &["m1"]).await, 0);

    assert_eq!(desk.counts("ada").await, (3, 0, 0));
    assert_eq!(desk.counts("bob").await, (1, 1, 0));
    let row = desk.find_as("m1", Some("ada")).await.expect("m1");
    assert_eq!(receipt_of(&row).read_at, Some(desk.now), "the first reading counts");
    assert_eq!(row.delivery.read, 1);
}

async fn reading_is_not_acknowledging(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.store(desk.letter("m1", &["ada"])).await;
    desk.mark_read("ada", &["m1"]).await;
    assert_eq!(desk.counts("ada").await, (1, 0, 1));
    assert_eq!(desk.list(desk.pending("ada")).await, ["m1"]);
    assert!(matches!(desk.ack("m1", "ada").await, AckOutcome::Stands { already: false, .. }));
}

async fn reading_a_page_leaves_the_rest_unread(bed: &Bed) {
    let desk = Desk::new(bed);
    for number in 0..10 {
        desk.store(desk.note(&format!("m{number}"), &["ada"])).await;
    }
    let page = desk.tail_page(&mainstay_core::mail::TailQuery { limit: 3, ..desk.whole_inbox("ada") }).await;
    let read: Vec<String> = page.rows.iter().map(id_of).collect();
    assert_eq!(read, ["m0", "m1", "m2"]);
    assert_eq!(desk.counts("ada").await, (10, 10, 0), "reading from a position takes nothing away");
    let read: Vec<&str> = read.iter().map(String::as_str).collect();
    assert_eq!(desk.mark_read("ada", &read).await, 3);
    assert_eq!(desk.unread("ada").await, ["m3", "m4", "m5", "m6", "m7", "m8", "m9"]);
    assert_eq!(desk.counts("ada").await, (10, 7, 0));
}

async fn a_message_is_found_with_every_receipt_by_recipient(bed: &Bed) {
    let desk = Desk::new(bed);
    let names = ["zoe", "ada", "Bob", "ärger", "a", "ad"];
    desk.store(desk.letter("m1", &names)).await;
    desk.ack("m1", "Bob").await;
    desk.mark_read("zoe", &["m1"]).await;

    let receipts = desk.row("m1").await.receipts.expect("every receipt");
    let by_name: Vec<&str> = receipts.iter().map(|receipt| receipt.recipient.as_str()).collect();
    assert_eq!(by_name, ["Bob", "a", "ad", "ada", "zoe", "ärger"], "by the bytes of the name");
    assert!(receipts[0].ack.is_some() && receipts[0].read_at.is_some());
    assert_eq!(receipts[1], Receipt { recipient: instance("a"), read_at: None, ack: None });
    assert!(receipts[4].ack.is_none() && receipts[4].read_at.is_some());
    let listed = desk.rows(ListQuery { receipts: true, ..desk.all() }).await;
    assert_eq!(listed[0].receipts.as_ref(), Some(&receipts));
    assert_eq!(desk.rows(desk.all()).await[0].receipts, None, "only where they are asked for");
}

async fn the_viewers_receipt_is_its_own(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.store(Append { from: instance("cyd"), ..desk.letter("m1", &["ada", "bob"]) }).await;
    desk.ack("m1", "bob").await;
    let seen = async |viewer: &str| desk.find_as("m1", Some(viewer)).await.expect("m1").receipt;
    assert_eq!(seen("ada").await, Some(Receipt { recipient: instance("ada"), read_at: None, ack: None }));
    assert!(seen("bob").await.expect("bob is a recipient").ack.is_some());
    assert_eq!(seen("cyd").await, None, "the sender is no recipient");
    assert_eq!(desk.row("m1").await.receipt, None, "no viewer");
    let listed = desk.rows(ListQuery { viewer: Some(instance("bob")), ..desk.inbox("ada") }).await;
    assert_eq!(receipt_of(&listed[0]).recipient, instance("bob"), "the viewer's, not the inbox's");
    assert_eq!(desk.rows(desk.inbox("ada")).await[0].receipt, None);
    let tailed = desk.drain(desk.whole_inbox("bob")).await.rows;
    assert!(receipt_of(&tailed[0]).ack.is_some(), "a tail has the recipient's");
}

async fn a_message_that_does_not_exist_is_not_found(bed: &Bed) {
    let (desk, other) = (Desk::new(bed), Desk::new(bed));
    other.store(other.letter("m1", &["ada"])).await;
    assert_eq!(desk.find("m1").await, None);
    assert_eq!(other.find("M1").await, None);
    assert!(other.find("m1").await.is_some());
}
