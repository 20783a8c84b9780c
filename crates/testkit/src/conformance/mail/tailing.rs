//! Reading an inbox in the order of arrival, from a position.

use super::desk::{Desk, ids, instance, kind};
use crate::conformance::{Bed, cases};
use mainstay_core::mail::{Append, TailQuery};

cases! {
    ($) mail_tailing_tests, mail::tailing:
    a_reader_continues_where_it_ended,
    pages_of_an_inbox_meet,
    a_reader_that_has_everything_stands_at_the_head_of_the_namespace,
    the_head_alone_is_an_answer_without_messages,
    unread_messages_are_read_without_the_others,
    filters_pass_over_messages_without_losing_the_place,
    a_reader_of_an_empty_inbox_misses_nothing_that_follows,
}

const NONE: [&str; 0] = [];

async fn a_reader_continues_where_it_ended(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.store(desk.letter("m1", &["ada"])).await;
    let first = desk.drain(desk.whole_inbox("ada")).await;
    assert_eq!(ids(&first.rows), ["m1"]);
    let continued = TailQuery { after: first.position, ..desk.whole_inbox("ada") };
    assert_eq!(ids(&desk.drain(continued.clone()).await.rows), NONE);
    desk.store(desk.letter("m2", &["ada"])).await;
    desk.store(desk.letter("m3", &["ada"])).await;
    assert_eq!(ids(&desk.drain(continued.clone()).await.rows), ["m2", "m3"]);
    assert_eq!(ids(&desk.drain(continued).await.rows), ["m2", "m3"], "the reader alone keeps its position");
}

async fn pages_of_an_inbox_meet(bed: &Bed) {
    let desk = Desk::new(bed);
    let mut sent = Vec::new();
    for number in 0..11 {
        let id = format!("m{number:02}");
        desk.store(desk.letter(&id, &["ada", "bob"])).await;
        desk.store(desk.letter(&format!("other{number}"), &["bob"])).await;
        sent.push(id);
    }
    for limit in [1, 2, 5, 10, 11, 12] {
        let query = TailQuery { limit, ..desk.whole_inbox("ada") };
        let page = desk.tail_page(&query).await;
        assert!(page.more || sent.len() <= limit as usize, "by {limit}: more was said to be nothing");
        assert_eq!(ids(&desk.drain(query).await.rows), sent, "by {limit}");
    }
}

async fn a_reader_that_has_everything_stands_at_the_head_of_the_namespace(bed: &Bed) {
    let desk = Desk::new(bed);
    let own = desk.store(desk.letter("m1", &["ada"])).await;
    assert_eq!(desk.drain(desk.whole_inbox("ada")).await.position, own);
    let head = desk.store(desk.letter("m2", &["bob"])).await;
    let page = desk.drain(desk.whole_inbox("ada")).await;
    assert_eq!((ids(&page.rows), page.position), (vec!["m1".to_owned()], head));
    let nothing = desk.drain(desk.whole_inbox("cyd")).await;
    assert_eq!((ids(&nothing.rows), nothing.position, nothing.more), (Vec::new(), head, false));
    let page = desk.tail_page(&TailQuery { limit: 1, ..desk.whole_inbox("bob") }).await;
    assert_eq!(page.rows.len(), 1);
    let rest = desk.drain(TailQuery { after: page.position, ..desk.whole_inbox("bob") }).await;
    assert_eq!(rest.position, head);
}

async fn the_head_alone_is_an_answer_without_messages(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.store(desk.letter("m1", &["ada"])).await;
    let head = desk.store(desk.letter("m2", &["ada"])).await;
    let page = desk.tail_page(&TailQuery { limit: 0, ..desk.whole_inbox("ada") }).await;
    assert_eq!((page.rows.len(), page.position), (0, head));
    desk.store(desk.letter("m3", &["ada"])).await;
    let next = desk.drain(TailQuery { after: page.position, ..desk.whole_inbox("ada") }).await;
    assert_eq!(ids(&next.rows), ["m3"]);
}

async fn unread_messages_are_read_without_the_others(bed: &Bed) {
    let desk = Desk::new(bed);
    for id in ["m1", "m2", "m3", "m4", "m5"] {
        desk.store(desk.letter(id, &["ada", "bob"])).await;
    }
    desk.mark_read("ada", &["m1", "m4"]).await;
    desk.ack("m2", "ada").await;
    assert_eq!(desk.unread("ada").await, ["m3", "m5"]);
    assert_eq!(desk.tail("ada").await, ["m1", "m2", "m3", "m4", "m5"]);
    assert_eq!(desk.unread("bob").await, ["m1", "m2", "m3", "m4", "m5"]);
    let query = TailQuery { unread_only: true, limit: 1, ..desk.whole_inbox("ada") };
    let page = desk.tail_page(&query).await;
    assert_eq!(ids(&page.rows), ["m3"]);
    assert!(page.more);
    let rest = desk.drain(TailQuery { after: page.position, ..query }).await;
    assert_eq!(ids(&rest.rows), ["m5"]);
}

async fn filters_pass_over_messages_without_losing_the_place(bed: &Bed) {
    let desk = Desk::new(bed);
    for (number, (from, name)) in
        [("lead", "GENERAL"), ("cyd", "GENERAL"), ("lead", "HEARTBEAT"), ("cyd", "HEARTBEAT"), ("lead", "GENERAL")]
            .into_iter()
            .enumerate()
    {
        let append = desk.letter(&format!("m{number}"), &["ada"]);
        desk.store(Append { from: instance(from), kind: kind(name), ..append }).await;
    }
    let head = desk.store(desk.letter("of bob", &["bob"])).await;
    for limit in [1, 2, 100] {
        let query = TailQuery { limit, ..desk.whole_inbox("ada") };
        let page = desk.drain(TailQuery { kind: Some(kind("HEARTBEAT")), ..query.clone() }).await;
        assert_eq!((ids(&page.rows), page.position), (vec!["m2".to_owned(), "m3".to_owned()], head));
        let page = desk.drain(TailQuery { sender: Some(instance("cyd")), ..query.clone() }).await;
        assert_eq!(ids(&page.rows), ["m1", "m3"]);
        let both = TailQuery { sender: Some(instance("lead")), kind: Some(kind("GENERAL")), ..query };
        assert_eq!(ids(&desk.drain(both).await.rows), ["m0", "m4"]);
    }
}

async fn a_reader_of_an_empty_inbox_misses_nothing_that_follows(bed: &Bed) {
    let desk = Desk::new(bed);
    let before = desk.drain(desk.whole_inbox("ada")).await;
    assert!(before.rows.is_empty() && before.dropped_to.is_none());
    desk.store(desk.letter("m1", &["ada"])).await;
    let next = desk.drain(TailQuery { after: before.position, ..desk.whole_inbox("ada") }).await;
    assert_eq!(ids(&next.rows), ["m1"]);
}
