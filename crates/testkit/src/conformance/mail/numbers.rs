//! Counts of an inbox and numbers of a namespace.

use super::desk::{Desk, kind, merge};
use crate::conformance::{Bed, cases};
use mainstay_core::api::mail::MailStats;
use mainstay_core::mail::{Append, Merge};

cases! {
    ($) mail_numbers_tests, mail::numbers:
    counts_follow_every_change_of_an_inbox,
    an_empty_namespace_has_no_numbers,
    numbers_of_a_namespace_are_those_of_its_messages,
    messages_are_counted_by_type,
}

async fn counts_follow_every_change_of_an_inbox(bed: &Bed) {
    let desk = Desk::new(bed);
    assert_eq!(desk.counts("ada").await, (0, 0, 0));
    desk.store(desk.letter("m1", &["ada"])).await;
    assert_eq!(desk.counts("ada").await, (1, 1, 1));
    desk.store(desk.note("m2", &["ada", "bob"])).await;
    assert_eq!(desk.counts("ada").await, (2, 2, 1));
    desk.mark_read("ada", &["m1"]).await;
    assert_eq!(desk.counts("ada").await, (2, 1, 1));
    desk.ack("m1", "ada").await;
    assert_eq!(desk.counts("ada").await, (2, 1, 0));
    desk.ack("m2", "ada").await;
    assert_eq!(desk.counts("ada").await, (2, 0, 0));
    assert_eq!(desk.counts("bob").await, (1, 1, 0));
    assert_eq!(desk.counts("all").await, (0, 0, 0));
}

async fn an_empty_namespace_has_no_numbers(bed: &Bed) {
    let desk = Desk::new(bed);
    assert_eq!(desk.mail.stats(&desk.namespace).await.expect("stats"), MailStats::default());
}

async fn numbers_of_a_namespace_are_those_of_its_messages(bed: &Bed) {
    let (desk, other) = (Desk::new(bed), Desk::new(bed));
    other.store(other.letter("m1", &["ada"])).await;
    desk.join("ada").await;
    desk.join("bob").await;
    desk.join("ada").await;
    desk.store(desk.letter("m1", &["ada", "cyd"])).await;
    desk.store(desk.note("m2", &["ada"])).await;
    desk.store(desk.broadcast("b1")).await;
    desk.mail.merge(Merge { settled: true, ..merge(desk.letter("m3", &["ada"])) }).await.expect("merge");
    let numbers = async || {
        let stats = desk.mail.stats(&desk.namespace).await.expect("stats");
        (stats.total_messages, stats.pending_messages, stats.instances)
    };
    assert_eq!(numbers().await, (4, 2, 2));
    desk.ack("m1", "ada").await;
    assert_eq!(numbers().await, (4, 2, 2), "cyd has not acknowledged");
    desk.ack("m1", "cyd").await;
    desk.ack("b1", "ada").await;
    assert_eq!(numbers().await, (4, 1, 2));
    desk.ack("b1", "bob").await;
    assert_eq!(numbers().await, (4, 0, 2));
    desk.join("dan").await;
    assert_eq!(numbers().await, (4, 1, 3), "the broadcast now waits for dan");
}

async fn messages_are_counted_by_type(bed: &Bed) {
    let desk = Desk::new(bed);
    for (id, name) in [("m1", "GENERAL"), ("m2", "BLOCKING_ISSUE"), ("m3", "GENERAL"), ("m4", "X_1")] {
        desk.store(Append { kind: kind(name), ..desk.letter(id, &["ada", "bob"]) }).await;
    }
    let stats = desk.mail.stats(&desk.namespace).await.expect("stats");
    let by_type: Vec<(&str, u64)> =
        stats.messages_by_type.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!(by_type, [("BLOCKING_ISSUE", 1), ("GENERAL", 2), ("X_1", 1)]);
    assert_eq!(stats.total_messages, 4);
}
