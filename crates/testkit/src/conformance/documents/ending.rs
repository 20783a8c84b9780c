//! Documents that end, and what is remembered for a time only.

use super::desk::{Desk, committed, delete, ending, expecting, name, put};
use crate::conformance::{Bed, cases};
use mainstay_core::api::Timestamp;
use mainstay_core::api::documents::{ChangeKind, beginning};
use mainstay_core::documents::Transacted;

cases! {
    ($) documents_ending_tests, documents::ending:
    a_document_is_absent_from_the_moment_of_its_end,
    what_has_ended_can_be_written_anew,
    a_document_that_is_written_without_an_end_lasts,
    what_has_ended_is_removed_as_a_change,
    old_revisions_are_removed_but_for_the_current_one,
}

async fn a_document_is_absent_from_the_moment_of_its_end(bed: &Bed) {
    let desk = Desk::new(bed);
    let end = desk.later(100).now;
    desk.transact(vec![ending(put("a/1", "1"), end)]).await;
    assert_eq!(desk.later(99).read("a/1").await.expect("a document").expires_at, Some(end));
    let over = desk.later(100);
    assert_eq!(over.read("a/1").await, None);
    assert_eq!(over.transact(vec![delete("a/1")]).await, Transacted::Conflict { name: name("a/1"), current: 0 });
}

async fn what_has_ended_can_be_written_anew(bed: &Bed) {
    let desk = Desk::new(bed);
    let first = committed(&desk.transact(vec![ending(put("a/1", "1"), desk.later(100).now)]).await).offset.0;
    let over = desk.later(100);
    let refused = over.transact(vec![expecting(put("a/1", "2"), first)]).await;
    assert_eq!(refused, Transacted::Conflict { name: name("a/1"), current: 0 });
    committed(&over.transact(vec![expecting(put("a/1", "2"), 0)]).await);
    assert_eq!(over.later(1_000).text("a/1").await.as_deref(), Some("2"));
}

async fn a_document_that_is_written_without_an_end_lasts(bed: &Bed) {
    let window = bed.window().await;
    let desk = Desk::at(bed, window.start);
    desk.transact(vec![ending(put("a/1", "1"), desk.later(100).now)]).await;
    desk.put("a/1", "2").await;
    assert_eq!(desk.later(1_000).purge(beginning_of_time()).await, 0);
    assert_eq!(desk.later(1_000).text("a/1").await.as_deref(), Some("2"));
}

async fn what_has_ended_is_removed_as_a_change(bed: &Bed) {
    let window = bed.window().await;
    let desk = Desk::at(bed, window.start);
    let end = desk.later(100).now;
    desk.transact(vec![ending(put("a/1", "1"), end), ending(put("a/2", "1"), end), put("a/3", "1")]).await;
    let before = desk.head().await;
    assert_eq!(desk.later(99).purge(beginning_of_time()).await, 0);
    assert_eq!(desk.later(100).purge(beginning_of_time()).await, 2);
    let (changes, position) = desk.page(&before, 10).await;
    let told: Vec<_> = changes.iter().map(|c| (c.key.as_str(), c.kind, c.revision, c.by.as_str())).collect();
    let revision = position.offset.0;
    assert_eq!(told, [("1", ChangeKind::Expired, revision, "store"), ("2", ChangeKind::Expired, revision, "store")]);
    assert_eq!(desk.history("a/1").await[0].kind, ChangeKind::Expired);
    assert_eq!(desk.text("a/3").await.as_deref(), Some("1"));
    assert_eq!(desk.later(100).purge(beginning_of_time()).await, 0);
}

async fn old_revisions_are_removed_but_for_the_current_one(bed: &Bed) {
    let window = bed.window().await;
    let desk = Desk::at(bed, window.start);
    desk.put("a/2", "1").await;
    for nth in 0..3 {
        desk.later(nth).put("a/1", &nth.to_string()).await;
    }
    desk.later(3).delete("a/2").await;
    let after = desk.later(1_000);
    // A store that other cases have used holds older ones of theirs as well.
    assert!(after.purge(desk.later(1).now).await >= 2, "one of each, written before that");
    assert_eq!((desk.history("a/1").await.len(), desk.history("a/2").await.len()), (2, 1));
    assert!(after.purge(desk.later(1_000).now).await >= 2);
    assert_eq!((desk.history("a/1").await.len(), desk.history("a/2").await.len()), (1, 0));
    assert_eq!(after.text("a/1").await.as_deref(), Some("2"));
    assert_eq!(desk.page(&beginning(), 10).await.0.len(), 5, "the log has its own bounds");
}

fn beginning_of_time() -> Timestamp {
    Timestamp::from_millis(0)
}
