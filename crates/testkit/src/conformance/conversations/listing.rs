//! Lists.

use super::talk::{Talk, id};
use crate::conformance::{Bed, cases};
use mainstay_core::api::conversations::Status;
use mainstay_core::conversations::{Created, ListQuery, Patch};

cases! {
    ($) conversations_listing_tests, conversations::listing:
    the_conversation_that_changed_last_stands_first,
    pages_of_any_size_hold_every_conversation_once,
    conversations_that_changed_at_the_same_moment_are_listed_once_each,
    a_list_of_one_status_holds_no_other,
    a_cursor_holds_where_what_it_names_has_moved_or_is_gone,
    a_list_holds_summaries_as_they_stand,
    an_owner_may_have_so_many_and_no_more,
}

async fn the_conversation_that_changed_last_stands_first(bed: &Bed) {
    let talk = Talk::new(bed);
    for (number, name) in ["a", "b", "c"].into_iter().enumerate() {
        talk.later(number as i64).with(name, &[]).await;
    }
    assert_eq!(talk.names().await, ["c", "b", "a"]);
    talk.later(10).say("a", &["one"]).await;
    assert_eq!(talk.names().await, ["a", "c", "b"]);
    // A use is no change.
    let reading = talk.later(20);
    reading.store.touch(&reading.lookup("b")).await.unwrap();
    reading.turn("c", 1_000).await;
    assert_eq!(reading.names().await, ["a", "c", "b"]);
}

async fn pages_of_any_size_hold_every_conversation_once(bed: &Bed) {
    let talk = Talk::new(bed);
    let mut expected: Vec<String> = (0..23).map(|number| format!("c{number}")).collect();
    for (number, name) in expected.iter().enumerate() {
        talk.later(number as i64).with(name, &[]).await;
    }
    expected.reverse();
    for limit in [1, 7, 22, 23, 24] {
        let listed = talk.list(None, limit).await;
        assert_eq!(listed.into_iter().map(|row| String::from(row.id)).collect::<Vec<_>>(), expected, "{limit}");
    }
}

async fn conversations_that_changed_at_the_same_moment_are_listed_once_each(bed: &Bed) {
    let talk = Talk::new(bed);
    let mut expected = Vec::new();
    for name in ["a", "B", "b", "~", "Z", "_", "-", "é", "aa"] {
        talk.with(name, &[]).await;
        expected.push(name.to_owned());
    }
    expected.sort();
    for limit in [1, 2, 5] {
        let mut names: Vec<String> = talk.list(None, limit).await.into_iter().map(|row| row.id.into()).collect();
        names.sort();
        assert_eq!(names, expected, "{limit}");
    }
}

async fn a_list_of_one_status_holds_no_other(bed: &Bed) {
    let talk = Talk::new(bed);
    for name in ["a", "b", "c", "d"] {
        talk.with(name, &[]).await;
    }
    for (name, status) in [("b", Status::Archived), ("c", Status::Completed), ("d", Status::Archived)] {
        talk.patch(Patch { status, ..talk.change(name, 1) }).await;
    }
    for (status, count) in [(Status::Active, 1), (Status::Archived, 2), (Status::Completed, 1), (Status::Abandoned, 0)]
    {
        let rows = talk.list(Some(status), 1).await;
        assert_eq!(rows.len(), count, "{status:?}");
        assert!(rows.iter().all(|row| row.status == status));
    }
}

async fn a_cursor_holds_where_what_it_names_has_moved_or_is_gone(bed: &Bed) {
    let talk = Talk::new(bed);
    for (number, name) in ["a", "b", "c", "d", "e"].into_iter().enumerate() {
        talk.later(number as i64).with(name, &[]).await;
    }
    let page = |after| ListQuery { owner: talk.owner.clone(), status: None, limit: 2, after, now: talk.later(9).now };
    let first = talk.store.list(page(None)).await.unwrap();
    assert_eq!(first.rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["e", "d"]);
    talk.delete("d").await;
    talk.later(8).say("e", &["moved"]).await;
    let second = talk.store.list(page(first.next)).await.unwrap();
    assert_eq!(second.rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["c", "b"]);
    talk.later(9).say("b", &["moved"]).await;
    let third = talk.store.list(page(second.next)).await.unwrap();
    assert_eq!(third.rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["a"]);
    assert_eq!(third.next, None);
}

async fn a_list_holds_summaries_as_they_stand(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &["one", "two"]).await;
    talk.turn("c", 1_000).await;
    let rows = talk.list(None, 10).await;
    assert_eq!(rows, [talk.summary("c").await]);
    assert_eq!((rows[0].id.clone(), rows[0].messages, rows[0].bytes), (id("c"), 2, 6));
}

async fn an_owner_may_have_so_many_and_no_more(bed: &Bed) {
    let mut talk = Talk::new(bed);
    talk.max_conversations = 2;
    talk.with("a", &["one"]).await;
    talk.with("b", &[]).await;
    assert_eq!(talk.create("c").await, Created::TooMany);
    assert_eq!(talk.create("a").await, Created::Exists);
    assert_eq!(talk.of("eve").create("c").await, Created::Created);
    talk.delete("b").await;
    assert_eq!(talk.create("c").await, Created::Created);
    assert_eq!(talk.texts("a").await, ["one"]);
}
