//! Changes together or not at all.

use super::desk::{Desk, committed, delete, expecting, name, put};
use crate::conformance::waking::Subscriber;
use crate::conformance::{Bed, cases};
use mainstay_core::Topic;
use mainstay_core::api::Timestamp;
use mainstay_core::documents::{DocumentLimits, Guard, Transacted};
use mainstay_core::mail::RequestMemo;

cases! {
    ($) documents_transacting_tests, documents::transacting:
    changes_of_a_transaction_have_one_revision,
    a_revision_follows_the_clock_and_is_never_used_twice,
    a_change_names_the_revision_that_it_replaces,
    a_conflict_of_one_change_writes_none,
    a_guard_must_hold_and_is_not_changed,
    what_is_deleted_must_be_there,
    of_many_who_expect_the_same_revision_one_writes,
    a_request_is_done_once,
    a_namespace_takes_as_many_documents_as_it_may,
    a_change_wakes_those_who_watch,
}

async fn changes_of_a_transaction_have_one_revision(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.put("b/1", "0").await;
    let done = desk.transact(vec![put("a/1", "1"), put("a/2", "2"), delete("b/1")]).await;
    let revision = committed(&done).offset.0;
    for (at, text) in [("a/1", "1"), ("a/2", "2")] {
        let row = desk.read(at).await.expect("a document");
        assert_eq!((row.body.text.as_str(), row.revision, row.updated_at), (text, revision, desk.now));
        assert_eq!(row.updated_by, "owner é\n");
    }
    assert_eq!(desk.read("b/1").await, None);
    assert_eq!(desk.head().await, committed(&done));
}

async fn a_revision_follows_the_clock_and_is_never_used_twice(bed: &Bed) {
    let desk = Desk::new(bed);
    let first = desk.put("a/1", "1").await;
    assert_eq!(first, u64::try_from(desk.now.as_millis()).expect("a time") * 1_000);
    assert_eq!(desk.put("a/1", "1").await, first + 1, "the same text is a change as well");
    assert_eq!(desk.later(-5).put("a/2", "1").await, first + 2, "a clock that goes back gives no revision twice");
    assert_eq!(desk.later(1).put("a/1", "1").await, first + 1_000);
    desk.later(1).delete("a/1").await;
    assert_eq!(desk.later(1).put("a/1", "1").await, first + 1_002);
}

async fn a_change_names_the_revision_that_it_replaces(bed: &Bed) {
    let desk = Desk::new(bed);
    let conflict = |current| Transacted::Conflict { name: name("a/1"), current };
    assert_eq!(desk.transact(vec![expecting(put("a/1", "1"), 7)]).await, conflict(0));
    let first = committed(&desk.transact(vec![expecting(put("a/1", "1"), 0)]).await).offset.0;
    assert_eq!(desk.transact(vec![expecting(put("a/1", "2"), 0)]).await, conflict(first));
    let second = committed(&desk.transact(vec![expecting(put("a/1", "2"), first)]).await).offset.0;
    assert_eq!(desk.transact(vec![expecting(delete("a/1"), first)]).await, conflict(second));
    committed(&desk.transact(vec![expecting(delete("a/1"), second)]).await);
    assert_eq!(desk.transact(vec![expecting(put("a/1", "3"), second)]).await, conflict(0));
    committed(&desk.transact(vec![expecting(put("a/1", "3"), 0)]).await);
}

async fn a_conflict_of_one_change_writes_none(bed: &Bed) {
    let desk = Desk::new(bed);
    let first = desk.put("a/2", "1").await;
    let done = desk.transact(vec![put("a/1", "1"), expecting(put("a/2", "2"), first + 1), put("a/3", "1")]).await;
    assert_eq!(done, Transacted::Conflict { name: name("a/2"), current: first });
    assert_eq!((desk.read("a/1").await, desk.read("a/3").await), (None, None));
    assert_eq!(desk.head().await.offset.0, first);
    assert_eq!(desk.history("a/2").await.len(), 1);
}

async fn a_guard_must_hold_and_is_not_changed(bed: &Bed) {
    let desk = Desk::new(bed);
    let schema = desk.put("schemas/a", "{}").await;
    let guarded = |revision| Desk { guards: vec![Guard { name: name("schemas/a"), revision }], ..desk.clone() };
    let done = guarded(schema + 1).transact(vec![put("a/1", "1")]).await;
    assert_eq!(done, Transacted::Conflict { name: name("schemas/a"), current: schema });
    guarded(schema).put("a/1", "1").await;
    assert_eq!(desk.read("schemas/a").await.expect("a document").revision, schema);
    desk.delete("schemas/a").await;
    guarded(0).put("a/1", "2").await;
}

async fn what_is_deleted_must_be_there(bed: &Bed) {
    let desk = Desk::new(bed);
    let nothing = Transacted::Conflict { name: name("a/1"), current: 0 };
    assert_eq!(desk.transact(vec![delete("a/1")]).await, nothing);
    desk.put("a/1", "1").await;
    desk.delete("a/1").await;
    assert_eq!(desk.transact(vec![delete("a/1")]).await, nothing);
}

async fn of_many_who_expect_the_same_revision_one_writes(bed: &Bed) {
    let desk = Desk::new(bed);
    let first = desk.put("a/1", "0").await;
    let writes = (0..8).map(|nth| {
        let desk = desk.clone();
        async move { desk.transact(vec![expecting(put("a/1", &nth.to_string()), first)]).await }
    });
    let done = futures::future::join_all(writes).await;
    assert_eq!(done.iter().filter(|done| matches!(done, Transacted::Committed(_))).count(), 1, "{done:?}");
    assert_eq!(desk.history("a/1").await.len(), 2);
}

async fn a_request_is_done_once(bed: &Bed) {
    let desk = Desk::new(bed);
    let memo = |fingerprint: &str| RequestMemo {
        key: "owner r:1 é".into(),
        fingerprint: fingerprint.into(),
        until: Timestamp::from_millis(desk.now.as_millis() + 1_000),
    };
    let asked = Desk { memo: Some(memo("f")), ..desk.clone() };
    let done = committed(&asked.transact(vec![expecting(put("a/1", "1"), 0)]).await);
    desk.put("a/1", "2").await;
    for _ in 0..2 {
        let again = asked.transact(vec![expecting(put("a/1", "1"), 0)]).await;
        assert_eq!(again, Transacted::Replayed(done.clone()));
    }
    let other = Desk { memo: Some(memo("g")), ..desk.clone() };
    assert_eq!(other.transact(vec![put("a/1", "3")]).await, Transacted::MemoMismatch);
    assert_eq!(desk.text("a/1").await.as_deref(), Some("2"));
    let over = Desk { memo: Some(memo("g")), ..desk.later(1_000) };
    over.put("a/1", "3").await;
}

async fn a_namespace_takes_as_many_documents_as_it_may(bed: &Bed) {
    let desk = Desk { limits: DocumentLimits { max_documents: 2, ..super::desk::LIMITS }, ..Desk::new(bed) };
    assert_eq!(desk.transact(vec![put("a/1", "1"), put("a/2", "1"), put("b/1", "1")]).await, Transacted::Full);
    assert_eq!(desk.read("a/1").await, None);
    desk.transact(vec![put("a/1", "1"), put("b/1", "1")]).await;
    assert_eq!(desk.transact(vec![put("a/2", "1")]).await, Transacted::Full);
    desk.put("a/1", "2").await;
    committed(&desk.transact(vec![put("a/2", "1"), delete("a/1")]).await);
}

async fn a_change_wakes_those_who_watch(bed: &Bed) {
    let desk = Desk::new(bed);
    let mut subscriber = Subscriber::on(bed).await;
    desk.put("a/1", "1").await;
    subscriber.woken(&Topic::Documents(desk.namespace.clone()), "a change").await;
}
