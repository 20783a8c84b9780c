//! Deleting, and erasing everything of an owner.

use super::talk::{Talk, id, stored};
use crate::conformance::{Bed, cases};
use mainstay_core::conversations::{Append, Create, Created};

cases! {
    ($) conversations_erasing_tests, conversations::erasing:
    a_deleted_conversation_is_gone_and_so_are_its_messages,
    an_erasure_takes_everything_of_the_owner_and_nothing_of_another,
    an_erasure_takes_what_is_remembered_of_requests,
    an_erased_owner_may_begin_again,
}

async fn a_deleted_conversation_is_gone_and_so_are_its_messages(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &["one", "two"]).await;
    assert!(talk.delete("c").await);
    assert!(!talk.delete("c").await);
    assert_eq!(talk.find("c").await, None);
    assert_eq!(talk.names().await, Vec::<String>::new());
    talk.with("c", &[]).await;
    assert_eq!(talk.rows("c").await, []);
}

async fn an_erasure_takes_everything_of_the_owner_and_nothing_of_another(bed: &Bed) {
    let talk = Talk::new(bed);
    let mut pinned = talk.clone();
    pinned.lifetime.pinned = true;
    pinned.with("pinned", &["one"]).await;
    for name in ["a", "b", "c", "d"] {
        talk.with(name, &["one"]).await;
    }
    talk.of("eve").with("a", &["hers"]).await;
    assert_eq!(talk.erase().await, 5);
    assert_eq!(talk.names().await, Vec::<String>::new());
    for name in ["pinned", "a", "d"] {
        assert_eq!(talk.find(name).await, None);
    }
    assert_eq!(talk.erase().await, 0);
    assert_eq!(talk.of("eve").texts("a").await, ["hers"]);
}

async fn an_erasure_takes_what_is_remembered_of_requests(bed: &Bed) {
    let talk = Talk::new(bed);
    let begin = || Create { memo: Some(talk.memo("k", "f")), ..talk.beginning("c") };
    assert_eq!(talk.store.create(begin()).await.unwrap(), Created::Created);
    assert_eq!(talk.store.create(begin()).await.unwrap(), Created::Replayed(id("c")));
    talk.erase().await;
    assert_eq!(talk.store.create(begin()).await.unwrap(), Created::Created);
}

async fn an_erased_owner_may_begin_again(bed: &Bed) {
    let mut talk = Talk::new(bed);
    talk.max_conversations = 1;
    talk.with("a", &["one"]).await;
    talk.erase().await;
    talk.with("b", &[]).await;
    stored(talk.try_append(Append { memo: Some(talk.memo("k", "f")), ..talk.append("b", &["one"]) }).await);
    assert_eq!(talk.names().await, ["b"]);
}
