//! Appending and reading messages, versions, and the bounds of a conversation.

use super::talk::{Talk, stored, texts};
use crate::conformance::{Bed, cases};
use bytes::Bytes;
use mainstay_core::api::conversations::Status;
use mainstay_core::conversations::{Append, Appended, Created, From, Full, MAX_PAGE_BYTES, Patched};

cases! {
    ($) conversations_appending_tests, conversations::appending:
    a_conversation_is_read_back_with_everything_that_was_stored,
    an_id_that_exists_is_refused_and_changes_nothing,
    messages_stand_at_dense_places_from_one_in_the_order_of_their_append,
    several_messages_are_appended_all_or_none,
    what_was_said_is_kept_byte_by_byte,
    pages_of_messages_go_both_ways_and_say_whether_there_are_more,
    a_page_of_large_messages_ends_early_and_never_empty,
    every_change_raises_the_version_by_one,
    an_append_that_expects_another_version_changes_nothing,
    a_patch_that_expects_another_version_changes_nothing,
    a_full_conversation_refuses_and_drops_nothing,
    an_append_may_replace_the_workflow_in_the_same_step,
}

async fn a_conversation_is_read_back_with_everything_that_was_stored(bed: &Bed) {
    let talk = Talk::new(bed);
    let create = talk.beginning("c");
    let expected = create.record();
    assert_eq!(talk.store.create(create).await.unwrap(), Created::Created);
    assert_eq!(talk.find("c").await, Some(expected));
    assert_eq!(talk.find("d").await, None);
}

async fn an_id_that_exists_is_refused_and_changes_nothing(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &["one"]).await;
    let before = talk.find("c").await;
    assert_eq!(talk.later(5).create("c").await, Created::Exists);
    assert_eq!(talk.find("c").await, before);
}

async fn messages_stand_at_dense_places_from_one_in_the_order_of_their_append(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &["one", "two"]).await;
    let written = talk.later(7).say("c", &["three"]).await;
    assert_eq!((written.first_seq, written.last_seq, written.fence), (3, 3, None));
    let rows = talk.rows("c").await;
    assert_eq!(texts(&rows), ["one", "two", "three"]);
    assert_eq!(rows.iter().map(|row| row.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(rows.iter().map(|row| row.at).collect::<Vec<_>>(), [talk.now, talk.now, talk.later(7).now]);
    let summary = talk.summary("c").await;
    assert_eq!((summary.messages, summary.bytes), (3, 11));
    assert_eq!(summary.updated_at, talk.later(7).now);
}

async fn several_messages_are_appended_all_or_none(bed: &Bed) {
    let mut talk = Talk::new(bed);
    talk.with("c", &["one"]).await;
    talk.limits.max_messages = 3;
    let refused = talk.try_append(talk.append("c", &["two", "three", "four"])).await;
    assert_eq!(refused, Appended::Full(Full::Messages));
    assert_eq!(talk.texts("c").await, ["one"]);
    assert_eq!(talk.try_append(talk.append("nothing", &["x"])).await, Appended::NotFound);
}

async fn what_was_said_is_kept_byte_by_byte(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &[]).await;
    let said =
        [Bytes::from_static(b"{\"n\":12345678901234567890}\0\xff"), Bytes::new(), Bytes::from(vec![b'x'; 70_000])];
    stored(talk.try_append(Append { documents: said.to_vec(), ..talk.append("c", &[]) }).await);
    let kept: Vec<_> = talk.rows("c").await.into_iter().map(|row| row.document).collect();
    assert_eq!(kept, said);
}

async fn pages_of_messages_go_both_ways_and_say_whether_there_are_more(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &["1", "2", "3", "4", "5"]).await;
    let cases = [
        (From::Before(u64::MAX), 2, vec!["4", "5"], true),
        (From::Before(4), 2, vec!["2", "3"], true),
        (From::Before(3), 2, vec!["1", "2"], false),
        (From::Before(1), 2, vec![], false),
        (From::Before(0), 2, vec![], false),
        (From::After(0), 2, vec!["1", "2"], true),
        (From::After(3), 2, vec!["4", "5"], false),
        (From::After(5), 2, vec![], false),
        (From::After(u64::MAX), 2, vec![], false),
    ];
    for (from, limit, expected, more) in cases {
        let page = talk.page("c", from, limit).await.unwrap();
        assert_eq!(
            (texts(&page.rows), page.more),
            (expected.into_iter().map(str::to_owned).collect(), more),
            "{from:?}"
        );
        assert_eq!(page.summary, talk.summary("c").await);
    }
    assert_eq!(talk.page("d", From::After(0), 2).await, None);
}

async fn a_page_of_large_messages_ends_early_and_never_empty(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &[]).await;
    let large = "x".repeat(MAX_PAGE_BYTES / 2 - 10);
    for _ in 0..3 {
        talk.say("c", &[&large]).await;
    }
    let page = talk.page("c", From::After(0), 10).await.unwrap();
    assert_eq!((page.rows.len(), page.more), (2, true));
    let page = talk.page("c", From::Before(4), 10).await.unwrap();
    assert_eq!((page.rows[0].seq, page.rows.len(), page.more), (2, 2, true));
}

async fn every_change_raises_the_version_by_one(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &[]).await;
    assert_eq!(talk.summary("c").await.version, 1);
    assert_eq!(talk.say("c", &["one", "two"]).await.version, 2);
    assert_eq!(talk.patch(talk.change("c", 2)).await, Patched::Patched);
    assert_eq!(talk.summary("c").await.version, 3);
    talk.turn("c", 1_000).await;
    assert!(talk.store.touch(&talk.lookup("c")).await.unwrap());
    assert_eq!(talk.summary("c").await.version, 3);
}

async fn an_append_that_expects_another_version_changes_nothing(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &["one"]).await;
    let expecting = |version| Append { expected_version: Some(version), ..talk.append("c", &["two"]) };
    assert_eq!(talk.try_append(expecting(1)).await, Appended::Conflict { current: 2 });
    assert_eq!(talk.texts("c").await, ["one"]);
    assert_eq!(stored(talk.try_append(expecting(2)).await).version, 3);
}

async fn a_patch_that_expects_another_version_changes_nothing(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &["one"]).await;
    let before = talk.find("c").await.unwrap();
    assert_eq!(talk.patch(talk.change("c", 1)).await, Patched::Conflict { current: 2 });
    assert_eq!(talk.find("c").await.as_ref(), Some(&before));
    let patch = talk.later(3).change("c", 2);
    let expected = patch.applied_to(before);
    assert_eq!(talk.patch(patch).await, Patched::Patched);
    assert_eq!(expected.summary.status, Status::Completed);
    assert_eq!(talk.find("c").await, Some(expected));
    assert_eq!(talk.patch(talk.change("d", 1)).await, Patched::NotFound);
}

async fn a_full_conversation_refuses_and_drops_nothing(bed: &Bed) {
    let mut talk = Talk::new(bed);
    talk.with("c", &["1234", "5678"]).await;
    talk.limits.max_bytes = 10;
    assert_eq!(talk.try_append(talk.append("c", &["9ab"])).await, Appended::Full(Full::Bytes));
    talk.say("c", &["9a"]).await;
    assert_eq!(talk.try_append(talk.append("c", &["b"])).await, Appended::Full(Full::Bytes));
    assert_eq!(talk.texts("c").await, ["1234", "5678", "9a"]);
    assert_eq!(talk.summary("c").await.bytes, 10);
}

async fn an_append_may_replace_the_workflow_in_the_same_step(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &[]).await;
    let workflow = Some(Bytes::from_static(b"{\"turnCount\":1}"));
    stored(talk.try_append(Append { workflow: workflow.clone(), ..talk.append("c", &["one"]) }).await);
    talk.say("c", &["two"]).await;
    assert_eq!(talk.find("c").await.unwrap().workflow, workflow);
    let refused = Append { workflow: Some(Bytes::new()), expected_version: Some(9), ..talk.append("c", &["x"]) };
    talk.try_append(refused).await;
    assert_eq!(talk.find("c").await.unwrap().workflow, workflow);
}
