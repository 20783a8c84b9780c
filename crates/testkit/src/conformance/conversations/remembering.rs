//! Requests that are repeated.

use super::talk::{HOUR_MS, Talk, id, stored};
use crate::conformance::{Bed, cases};
use mainstay_core::conversations::{Append, Appended, Create, Created, Fork, Forked, Recalled};

cases! {
    ($) conversations_remembering_tests, conversations::remembering:
    a_repeated_append_writes_once_and_says_what_it_wrote,
    a_request_id_of_another_request_is_refused,
    request_ids_of_two_users_do_not_meet,
    a_repeated_append_is_answered_though_the_version_and_the_turn_moved_on,
    a_repeated_beginning_begins_once_though_the_conversation_is_gone,
    a_repeated_fork_forks_once,
    an_append_is_forgotten_with_its_conversation,
    a_request_is_forgotten_after_its_time,
    a_request_whose_messages_failed_may_be_made_again,
    a_refused_append_is_not_remembered,
}

async fn a_repeated_append_writes_once_and_says_what_it_wrote(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &["zero"]).await;
    let append = Append { memo: Some(talk.memo("k", "f")), ..talk.append("c", &["one", "two"]) };
    let written = stored(talk.try_append(append.clone()).await);
    talk.say("c", &["three"]).await;
    assert_eq!(talk.try_append(append).await, Appended::Replayed(written));
    let recalled = talk.store.recall(&talk.lookup("c"), &talk.memo("k", "f")).await.unwrap();
    assert_eq!(recalled, Some(Recalled::Written(written)));
    assert_eq!(talk.texts("c").await, ["zero", "one", "two", "three"]);
}

async fn a_request_id_of_another_request_is_refused(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &[]).await;
    talk.with("d", &[]).await;
    let of = |name, fingerprint| Append { memo: Some(talk.memo("k", fingerprint)), ..talk.append(name, &["one"]) };
    stored(talk.try_append(of("c", "f")).await);
    assert_eq!(talk.try_append(of("c", "g")).await, Appended::MemoMismatch);
    assert_eq!(talk.try_append(of("d", "f")).await, Appended::MemoMismatch);
    let create = Create { memo: Some(talk.memo("k", "h")), ..talk.beginning("e") };
    assert_eq!(talk.store.create(create).await.unwrap(), Created::MemoMismatch);
    let recalled = talk.store.recall(&talk.lookup("c"), &talk.memo("k", "g")).await.unwrap();
    assert_eq!(recalled, Some(Recalled::MemoMismatch));
    assert_eq!(talk.texts("d").await, Vec::<String>::new());
}

async fn request_ids_of_two_users_do_not_meet(bed: &Bed) {
    let talk = Talk::new(bed);
    for user in [talk.clone(), talk.of("eve")] {
        user.with("c", &[]).await;
        stored(user.try_append(Append { memo: Some(user.memo("k", "f")), ..user.append("c", &["one"]) }).await);
    }
}

async fn a_repeated_append_is_answered_though_the_version_and_the_turn_moved_on(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &[]).await;
    let memo = Some(talk.memo("k", "f"));
    let append = Append { memo, expected_version: Some(1), ..talk.append("c", &["one"]) };
    let written = stored(talk.try_append(append.clone()).await);
    talk.turn("c", 10_000).await;
    assert_eq!(talk.try_append(append).await, Appended::Replayed(written));
}

async fn a_repeated_beginning_begins_once_though_the_conversation_is_gone(bed: &Bed) {
    let talk = Talk::new(bed);
    let begin = |name| Create { memo: Some(talk.memo("k", "f")), ..talk.beginning(name) };
    assert_eq!(talk.store.create(begin("c")).await.unwrap(), Created::Created);
    // A caller that gave no id has another one made each time.
    assert_eq!(talk.store.create(begin("made anew")).await.unwrap(), Created::Replayed(id("c")));
    assert!(talk.delete("c").await);
    assert_eq!(talk.store.create(begin("c")).await.unwrap(), Created::Replayed(id("c")));
    assert_eq!(talk.names().await, Vec::<String>::new());
}

async fn a_repeated_fork_forks_once(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &["one"]).await;
    let fork = |name| Fork {
        create: Create { memo: Some(talk.memo("k", "f")), ..talk.beginning(name) },
        source: id("c"),
        up_to: 1,
    };
    assert_eq!(talk.store.fork(fork("d")).await.unwrap(), Forked::Created(Created::Created));
    talk.delete("c").await;
    assert_eq!(talk.store.fork(fork("e")).await.unwrap(), Forked::Created(Created::Replayed(id("d"))));
    assert_eq!(talk.names().await, ["d"]);
}

async fn an_append_is_forgotten_with_its_conversation(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &[]).await;
    let append = Append { memo: Some(talk.memo("k", "f")), ..talk.append("c", &["one"]) };
    stored(talk.try_append(append.clone()).await);
    talk.delete("c").await;
    assert_eq!(talk.try_append(append.clone()).await, Appended::NotFound);
    talk.with("c", &[]).await;
    stored(talk.try_append(append).await);
    assert_eq!(talk.texts("c").await, ["one"]);
}

async fn a_request_is_forgotten_after_its_time(bed: &Bed) {
    let mut talk = Talk::new(bed);
    talk.lifetime.pinned = true;
    talk.with("c", &[]).await;
    let append = |talk: &Talk| Append { memo: Some(talk.memo("k", "f")), ..talk.append("c", &["one"]) };
    stored(talk.try_append(append(&talk)).await);
    let last = talk.later(24 * HOUR_MS - 1);
    assert!(matches!(last.try_append(append(&last)).await, Appended::Replayed(_)));
    let after = talk.later(24 * HOUR_MS);
    stored(after.try_append(append(&after)).await);
}

async fn a_request_whose_messages_failed_may_be_made_again(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &[]).await;
    let question = |fence, talk: &Talk| Append {
        fence: Some(fence),
        pending: true,
        memo: Some(talk.memo("k", "f")),
        ..talk.append("c", &["question"])
    };
    let first = talk.turn("c", 10_000).await;
    let written = stored(talk.try_append(question(first, &talk)).await);
    assert_eq!(talk.try_append(question(first, &talk)).await, Appended::Replayed(written));
    let late = talk.later(10_000);
    let recalled = late.store.recall(&late.lookup("c"), &late.memo("k", "f")).await.unwrap();
    assert_eq!(recalled, None);
    let second = late.turn("c", 10_000).await;
    let again = stored(late.try_append(question(second, &late)).await);
    assert_eq!(again.first_seq, written.first_seq + 1);
    assert_eq!(late.try_append(question(second, &late)).await, Appended::Replayed(again));
}

async fn a_refused_append_is_not_remembered(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &[]).await;
    let append = Append { memo: Some(talk.memo("k", "f")), ..talk.append("c", &["one"]) };
    let refused = Append { expected_version: Some(7), ..append.clone() };
    assert_eq!(talk.try_append(refused).await, Appended::Conflict { current: 1 });
    stored(talk.try_append(append).await);
}
