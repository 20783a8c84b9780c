//! Forks.

use super::talk::{Talk, stored, texts};
use crate::conformance::{Bed, cases};
use mainstay_core::api::conversations::MessageState;
use mainstay_core::conversations::{Append, Appended, Created, Forked};

cases! {
    ($) conversations_forking_tests, conversations::forking:
    a_fork_begins_with_the_messages_at_the_same_places,
    a_fork_and_its_source_go_on_apart,
    a_fork_of_many_and_large_messages_is_whole,
    a_fork_beyond_the_end_or_of_nothing_is_no_fork,
    a_fork_under_an_id_that_exists_changes_nothing,
    what_waits_or_failed_has_failed_in_the_copy,
    a_fork_outlives_its_source,
}

const FORKED: Forked = Forked::Created(Created::Created);

async fn a_fork_begins_with_the_messages_at_the_same_places(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &["one", "two", "three"]).await;
    let later = talk.later(5);
    assert_eq!(later.fork("c", "d", 2).await, FORKED);
    let (source, copy) = (talk.rows("c").await, talk.rows("d").await);
    assert_eq!(copy, source[..2]);
    let summary = talk.summary("d").await;
    assert_eq!((summary.version, summary.messages, summary.bytes), (1, 2, 6));
    assert_eq!((summary.created_at, summary.updated_at), (later.now, later.now));
    assert_eq!(later.fork("c", "empty", 0).await, FORKED);
    assert_eq!(talk.texts("empty").await, Vec::<String>::new());
    assert_eq!(talk.say("empty", &["first"]).await.first_seq, 1);
}

async fn a_fork_and_its_source_go_on_apart(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &["one"]).await;
    assert_eq!(talk.fork("c", "d", 1).await, FORKED);
    assert_eq!(talk.say("c", &["two"]).await.first_seq, 2);
    assert_eq!(talk.say("d", &["zwei"]).await.first_seq, 2);
    assert_eq!(talk.texts("c").await, ["one", "two"]);
    assert_eq!(talk.texts("d").await, ["one", "zwei"]);
}

async fn a_fork_of_many_and_large_messages_is_whole(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &[]).await;
    for round in 0..12 {
        let many: Vec<String> = (0..100).map(|number| format!("{round} {number}")).collect();
        talk.say("c", &many.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }
    talk.say("c", &[&"x".repeat(900_000), &"y".repeat(900_000), "end"]).await;
    assert_eq!(talk.fork("c", "d", 1_203).await, FORKED);
    let (source, copy) = (talk.summary("c").await, talk.summary("d").await);
    assert_eq!((copy.messages, copy.bytes), (source.messages, source.bytes));
    for from in [0, 1_000] {
        let from = mainstay_core::conversations::From::After(from);
        let (source, copy) = (talk.page("c", from, 1_000).await.unwrap(), talk.page("d", from, 1_000).await.unwrap());
        assert!(texts(&copy.rows) == texts(&source.rows) && copy.rows.len() > 200);
    }
}

async fn a_fork_beyond_the_end_or_of_nothing_is_no_fork(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &["one"]).await;
    assert_eq!(talk.fork("c", "d", 2).await, Forked::NoSource);
    assert_eq!(talk.fork("x", "d", 0).await, Forked::NoSource);
    assert_eq!(talk.find("d").await, None);
    assert_eq!(talk.names().await, ["c"]);
}

async fn a_fork_under_an_id_that_exists_changes_nothing(bed: &Bed) {
    let mut talk = Talk::new(bed);
    talk.with("c", &["one"]).await;
    talk.with("d", &["kept"]).await;
    assert_eq!(talk.fork("c", "d", 1).await, Forked::Created(Created::Exists));
    assert_eq!(talk.fork("c", "c", 1).await, Forked::Created(Created::Exists));
    talk.max_conversations = 2;
    assert_eq!(talk.fork("c", "e", 1).await, Forked::Created(Created::TooMany));
    assert_eq!(talk.texts("d").await, ["kept"]);
}

async fn what_waits_or_failed_has_failed_in_the_copy(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &[]).await;
    let fence = talk.turn("c", 10_000).await;
    let question = Append { fence: Some(fence), pending: true, ..talk.append("c", &["question"]) };
    stored(talk.try_append(question).await);
    assert_eq!(talk.fork("c", "d", 1).await, FORKED);
    assert_eq!(talk.rows("c").await[0].state, Some(MessageState::Pending));
    assert_eq!(talk.rows("d").await[0].state, Some(MessageState::Failed));
    let lost = Append { fence: Some(fence), ..talk.append("d", &["x"]) };
    assert_eq!(talk.try_append(lost).await, Appended::TurnLost);
}

async fn a_fork_outlives_its_source(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &["one"]).await;
    assert_eq!(talk.fork("c", "d", 1).await, FORKED);
    talk.delete("c").await;
    assert_eq!(talk.texts("d").await, ["one"]);
    assert_eq!(talk.fork("d", "c", 1).await, FORKED);
}
