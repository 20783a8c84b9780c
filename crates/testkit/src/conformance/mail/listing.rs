//! Listings: filters, order, pages.

use super::desk::{Desk, after, document, id_of, ids, instance, kind, message_id};
use crate::conformance::{Bed, cases};
use futures::{StreamExt, stream};
use mainstay_core::mail::{Append, ListQuery, MAX_PAGE_BYTES, Merge};
use std::collections::BTreeSet;

cases! {
    ($) mail_listing_tests, mail::listing:
    an_empty_namespace_lists_nothing,
    each_filter_passes_what_it_names_and_nothing_else,
    filters_are_combined,
    times_include_their_beginning_and_not_their_end,
    the_subject_is_searched_as_text_and_not_as_a_pattern,
    pending_without_a_recipient_is_what_waits_for_anyone,
    pending_of_a_recipient_is_what_waits_for_it_alone,
    a_settled_message_is_pending_for_nobody,
    lists_are_ordered_by_time_and_then_by_arrival,
    pages_meet_in_both_directions_where_times_are_equal,
    pages_stay_true_while_messages_arrive,
    a_page_is_bounded_in_bytes_and_holds_at_least_one_message,
    a_filter_finds_the_oldest_of_many,
}

const NONE: [&str; 0] = [];

async fn an_empty_namespace_lists_nothing(bed: &Bed) {
    let desk = Desk::new(bed);
    for query in [desk.all(), desk.inbox("ada"), desk.inbox("all"), desk.pending("ada")] {
        let page = desk.page(&query).await;
        assert!(page.rows.is_empty() && page.next.is_none(), "{query:?}");
    }
}

/// Four messages that differ in everything a filter asks for.
async fn assortment(bed: &Bed) -> Desk {
    let desk = Desk::new(bed);
    desk.join("ada").await;
    let at = |minutes: i64| after(desk.now, minutes * 60_000);
    let assortment = [
        Append { thread: Some(message_id("t1")), timestamp: at(-4), ..desk.letter("m1", &["ada"]) },
        Append { kind: kind("BLOCKING_ISSUE"), timestamp: at(-3), ..desk.note("m2", &["ada", "bob"]) },
        Append { from: instance("cyd"), timestamp: at(-2), ..desk.letter("m3", &["bob"]) },
        Append { thread: Some(message_id("t2")), timestamp: at(-1), ..desk.broadcast("m4") },
    ];
    for append in assortment {
        desk.store(append).await;
    }
    desk
}

async fn each_filter_passes_what_it_names_and_nothing_else(bed: &Bed) {
    let desk = assortment(bed).await;
    let all = desk.all();
    let from = |name: &str| ListQuery { sender: Some(instance(name)), ..desk.all() };
    let of = |name: &str| ListQuery { kind: Some(kind(name)), ..desk.all() };
    let thread = |id: &str| ListQuery { thread: Some(message_id(id)), ..desk.all() };

    assert_eq!(desk.list(all).await, ["m4", "m3", "m2", "m1"]);
    assert_eq!(desk.list(desk.inbox("ada")).await, ["m4", "m2", "m1"]);
    assert_eq!(desk.list(desk.inbox("bob")).await, ["m3", "m2"]);
    assert_eq!(desk.list(desk.inbox("lead")).await, NONE);
    assert_eq!(desk.list(from("lead")).await, ["m4", "m2", "m1"]);
    assert_eq!(desk.list(from("cyd")).await, ["m3"]);
    assert_eq!(desk.list(from("ada")).await, NONE);
    assert_eq!(desk.list(of("BLOCKING_ISSUE")).await, ["m2"]);
    assert_eq!(desk.list(of("GENERAL")).await, ["m4", "m3", "m1"]);
    assert_eq!(desk.list(of("GENERAL_")).await, NONE);
    assert_eq!(desk.list(thread("t1")).await, ["m1"]);
    assert_eq!(desk.list(thread("t2")).await, ["m4"]);
    assert_eq!(desk.list(thread("m1")).await, NONE, "a thread is what a message says, not the message");
}

async fn filters_are_combined(bed: &Bed) {
    let desk = assortment(bed).await;
    let query = ListQuery { sender: Some(instance("lead")), kind: Some(kind("GENERAL")), ..desk.inbox("ada") };
    assert_eq!(desk.list(query.clone()).await, ["m4", "m1"]);
    assert_eq!(desk.list(ListQuery { oldest_first: true, ..query.clone() }).await, ["m1", "m4"]);
    assert_eq!(desk.list(ListQuery { thread: Some(message_id("t1")), ..query.clone() }).await, ["m1"]);
    assert_eq!(desk.list(ListQuery { since: Some(after(desk.now, -120_000)), ..query.clone() }).await, ["m4"]);
    assert_eq!(desk.list(ListQuery { pending: true, subject_folded: Some("m1".into()), ..query }).await, ["m1"]);
    let of_others = ListQuery { sender: Some(instance("cyd")), ..desk.inbox("ada") };
    assert_eq!(desk.list(of_others).await, NONE);
}

async fn times_include_their_beginning_and_not_their_end(bed: &Bed) {
    let desk = Desk::new(bed);
    for (id, millis) in [("m1", 0), ("m2", 1), ("m3", 2)] {
        desk.store(Append { timestamp: after(desk.now, millis), ..desk.letter(id, &["ada"]) }).await;
    }
    let at = |millis: i64| Some(after(desk.now, millis));
    assert_eq!(desk.list(ListQuery { since: at(1), ..desk.all() }).await, ["m3", "m2"]);
    assert_eq!(desk.list(ListQuery { until: at(1), ..desk.all() }).await, ["m1"]);
    assert_eq!(desk.list(ListQuery { since: at(1), until: at(2), ..desk.inbox("ada") }).await, ["m2"]);
    assert_eq!(desk.list(ListQuery { since: at(1), until: at(1), ..desk.all() }).await, NONE);
    assert_eq!(desk.list(ListQuery { since: at(3), ..desk.all() }).await, NONE);
}

async fn the_subject_is_searched_as_text_and_not_as_a_pattern(bed: &Bed) {
    let desk = Desk::new(bed);
    let subjects = ["100% done", "a_b", "axb", "[x] %d *", "straße über ähren 🦀", "quote ' and \" and \\"];
    for (number, subject) in subjects.iter().enumerate() {
        let append = desk.letter(&format!("m{number}"), &["ada"]);
        desk.store(Append { subject_folded: (*subject).into(), ..append }).await;
    }
    let find = async |text: &str| {
        desk.list(ListQuery { subject_folded: Some(text.into()), oldest_first: true, ..desk.all() }).await
    };
    assert_eq!(find("%").await, ["m0", "m3"]);
    assert_eq!(find("_").await, ["m1"]);
    assert_eq!(find("a_b").await, ["m1"]);
    assert_eq!(find("[x]").await, ["m3"]);
    assert_eq!(find("*").await, ["m3"]);
    assert_eq!(find("über").await, ["m4"]);
    assert_eq!(find("🦀").await, ["m4"]);
    assert_eq!(find("'").await, ["m5"]);
    assert_eq!(find("\\").await, ["m5"]);
    assert_eq!(find("100% done ").await, NONE);
    let in_inbox = ListQuery { subject_folded: Some("axb".into()), ..desk.inbox("ada") };
    assert_eq!(desk.list(in_inbox).await, ["m2"]);
}

async fn pending_without_a_recipient_is_what_waits_for_anyone(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.store(desk.letter("m1", &["ada", "bob"])).await;
    desk.store(desk.note("m2", &["ada"])).await;
    desk.store(desk.letter("m3", &["ada"])).await;
    let waiting = ListQuery { pending: true, ..desk.all() };
    assert_eq!(desk.list(waiting.clone()).await, ["m3", "m1"]);
    desk.ack("m3", "ada").await;
    desk.ack("m1", "ada").await;
    assert_eq!(desk.list(waiting.clone()).await, ["m1"]);
    desk.ack("m1", "bob").await;
    assert_eq!(desk.list(waiting).await, NONE);
}

async fn pending_of_a_recipient_is_what_waits_for_it_alone(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.store(desk.letter("m1", &["ada", "bob"])).await;
    desk.store(desk.letter("m2", &["ada"])).await;
    desk.ack("m1", "ada").await;
    desk.mark_read("ada", &["m2"]).await;
    assert_eq!(desk.list(desk.pending("ada")).await, ["m2"]);
    assert_eq!(desk.list(desk.pending("bob")).await, ["m1"]);
    assert_eq!(desk.list(desk.pending("lead")).await, NONE);
}

async fn a_settled_message_is_pending_for_nobody(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.join("ada").await;
    for append in [desk.broadcast("b1"), desk.letter("m1", &["ada"])] {
        let merge = Merge { settled: true, ..super::desk::merge(append) };
        desk.mail.merge(merge).await.expect("merge");
    }
    assert_eq!(desk.list(ListQuery { pending: true, ..desk.all() }).await, NONE);
    assert_eq!(desk.list(desk.pending("all")).await, NONE);
    assert_eq!(desk.list(desk.pending("ada")).await, NONE);
    assert_eq!(desk.list(desk.inbox("ada")).await, ["m1", "b1"]);
    assert_eq!(desk.unread("ada").await, NONE);
    assert_eq!(desk.counts("ada").await, (2, 0, 0));
    assert!(desk.row("b1").await.settled);
}

async fn lists_are_ordered_by_time_and_then_by_arrival(bed: &Bed) {
    let desk = Desk::new(bed);
    for (id, minutes) in [("m1", 2), ("m2", 0), ("m3", 1), ("m4", 0), ("m5", 2)] {
        let timestamp = after(desk.now, -minutes * 60_000);
        desk.store(Append { timestamp, ..desk.letter(id, &["ada"]) }).await;
    }
    for query in [desk.all(), desk.inbox("ada"), desk.pending("ada")] {
        assert_eq!(desk.list(query.clone()).await, ["m4", "m2", "m3", "m5", "m1"]);
        let oldest_first = ListQuery { oldest_first: true, ..query };
        assert_eq!(desk.list(oldest_first).await, ["m1", "m5", "m3", "m2", "m4"]);
    }
    assert_eq!(desk.tail("ada").await, ["m1", "m2", "m3", "m4", "m5"], "an inbox is read by arrival alone");
}

async fn pages_meet_in_both_directions_where_times_are_equal(bed: &Bed) {
    let desk = Desk::new(bed);
    let mut sent = Vec::new();
    for number in 0..23_i64 {
        let id = format!("m{number:02}");
        let timestamp = after(desk.now, (number / 5) * 1_000);
        desk.store(Append { timestamp, ..desk.letter(&id, &["ada"]) }).await;
        sent.push(id);
    }
    let newest: Vec<String> = sent.iter().rev().cloned().collect();
    for limit in [1, 2, 5, 7, 22, 23, 24] {
        for query in [desk.all(), desk.inbox("ada"), desk.pending("ada")] {
            let query = ListQuery { limit, ..query };
            assert_eq!(desk.list(query.clone()).await, newest, "newest first by {limit}");
            let oldest_first = ListQuery { oldest_first: true, ..query };
            assert_eq!(desk.list(oldest_first).await, sent, "oldest first by {limit}");
        }
    }
}

async fn pages_stay_true_while_messages_arrive(bed: &Bed) {
    let desk = Desk::new(bed);
    for id in ["m1", "m2", "m3", "m4"] {
        desk.store(desk.letter(id, &["ada"])).await;
    }
    let query = ListQuery { limit: 2, ..desk.inbox("ada") };
    let page = desk.page(&query).await;
    assert_eq!(ids(&page.rows), ["m4", "m3"]);
    desk.store(desk.letter("m5", &["ada"])).await;
    desk.ack("m4", "ada").await;
    let rest = desk.list(ListQuery { after: page.next, ..query }).await;
    assert_eq!(rest, ["m2", "m1"], "nothing stands on two pages, nothing is left out");
}

async fn a_page_is_bounded_in_bytes_and_holds_at_least_one_message(bed: &Bed) {
    let desk = Desk::new(bed);
    let mut sent = Vec::new();
    let large = vec![b'x'; 250 * 1_024];
    for number in 0..20 {
        let id = format!("m{number:02}");
        desk.store(Append { document: document(&id, &large), ..desk.letter(&id, &["ada"]) }).await;
        sent.push(id);
    }
    let (mut listed, mut query) = (Vec::new(), ListQuery { oldest_first: true, ..desk.inbox("ada") });
    for _ in 0..sent.len() {
        let page = desk.page(&query).await;
        let bytes: usize = page.rows.iter().map(|row| row.document.len()).sum();
        assert!(bytes <= MAX_PAGE_BYTES, "a page of {bytes} bytes");
        assert!(!page.rows.is_empty() || page.next.is_none(), "a page without a message");
        listed.extend(ids(&page.rows));
        query.after = page.next;
        if page.next.is_none() {
            break;
        }
    }
    assert_eq!(listed, sent);
    let page = desk.tail_page(&desk.whole_inbox("ada")).await;
    let bytes: usize = page.rows.iter().map(|row| row.document.len()).sum();
    assert!(bytes <= MAX_PAGE_BYTES && page.more, "a tail of {bytes} bytes");
    assert_eq!(desk.tail("ada").await, sent);
}

async fn a_filter_finds_the_oldest_of_many(bed: &Bed) {
    const MANY: usize = 1_200;
    let desk = Desk::new(bed);
    let rare = Append { thread: Some(message_id("t1")), kind: kind("BLOCKING_ISSUE"), ..desk.letter("rare", &["bob"]) };
    desk.store(Append { from: instance("cyd"), subject_folded: "needle".into(), ..rare }).await;
    let sends = stream::iter(0..MANY).map(|number| desk.store(desk.letter(&format!("m{number}"), &["ada"])));
    sends.buffer_unordered(64).count().await;

    let all: BTreeSet<String> = desk.rows(desk.all()).await.iter().map(id_of).collect();
    assert_eq!(all.len(), MANY + 1, "nothing falls off the end");
    let by = |query: ListQuery| ListQuery { limit: 10, ..query };
    assert_eq!(desk.list(by(ListQuery { sender: Some(instance("cyd")), ..desk.all() })).await, ["rare"]);
    assert_eq!(desk.list(by(desk.inbox("bob"))).await, ["rare"]);
    assert_eq!(desk.list(by(ListQuery { kind: Some(kind("BLOCKING_ISSUE")), ..desk.all() })).await, ["rare"]);
    assert_eq!(desk.list(by(ListQuery { thread: Some(message_id("t1")), ..desk.all() })).await, ["rare"]);
    assert_eq!(desk.list(by(ListQuery { subject_folded: Some("needle".into()), ..desk.all() })).await, ["rare"]);
}
