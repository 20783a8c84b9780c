//! The history of a document.

use super::desk::{Desk, LIMITS, diff, name};
use crate::conformance::{Bed, cases};
use mainstay_core::api::documents::ChangeKind;
use mainstay_core::documents::{DocumentLimits, HistoryQuery};

cases! {
    ($) documents_remembering_tests, documents::remembering:
    every_revision_is_remembered_the_newest_first,
    a_history_is_read_from_any_revision_on,
    a_history_is_bounded_in_number,
    a_history_is_bounded_in_bytes_but_for_its_newest,
    the_history_of_what_is_gone_stays_until_others_are_gone,
}

async fn every_revision_is_remembered_the_newest_first(bed: &Bed) {
    let desk = Desk::new(bed);
    let first = desk.put("a/1", "{\"v\":1}").await;
    let second = desk.later(1).put("a/1", "{\"v\":2}").await;
    let third = desk.later(2).delete("a/1").await;
    let history = desk.history("a/1").await;
    let told: Vec<_> = history.iter().map(|row| (row.revision, row.kind, row.body.clone())).collect();
    let text = |text| Some(super::desk::body(text));
    assert_eq!(
        told,
        [
            (third, ChangeKind::Deleted, None),
            (second, ChangeKind::Put, text("{\"v\":2}")),
            (first, ChangeKind::Put, text("{\"v\":1}")),
        ]
    );
    assert_eq!((history[0].diff.clone(), history[2].diff.clone()), (diff("\"gone\""), diff("{\"v\":1}")));
    assert_eq!((history[1].at, history[1].by.as_str()), (desk.later(1).now, "owner é\n"));
}

async fn a_history_is_read_from_any_revision_on(bed: &Bed) {
    let desk = Desk::new(bed);
    let mut revisions = Vec::new();
    for nth in 0..5 {
        revisions.push(desk.put("a/1", &nth.to_string()).await);
    }
    let query =
        HistoryQuery { namespace: desk.namespace.clone(), name: name("a/1"), before: Some(revisions[3]), limit: 2 };
    let rows = desk.documents.history(query).await.expect("history");
    assert_eq!(rows.iter().map(|row| row.revision).collect::<Vec<_>>(), [revisions[2], revisions[1]]);
}

async fn a_history_is_bounded_in_number(bed: &Bed) {
    let desk = Desk { limits: DocumentLimits { max_revisions: 3, ..LIMITS }, ..Desk::new(bed) };
    for nth in 0..5 {
        desk.put("a/1", &nth.to_string()).await;
    }
    let texts: Vec<_> = desk.history("a/1").await.iter().map(|row| row.body.clone().expect("a text").text).collect();
    assert_eq!(texts.iter().map(|text| text.as_str()).collect::<Vec<_>>(), ["4", "3", "2"]);
}

async fn a_history_is_bounded_in_bytes_but_for_its_newest(bed: &Bed) {
    let desk = Desk { limits: DocumentLimits { max_history_bytes: 10, ..LIMITS }, ..Desk::new(bed) };
    for text in ["\"1\"", "\"2\"", "\"3\"", "\"é\""] {
        desk.put("a/1", text).await;
    }
    assert_eq!(desk.history("a/1").await.len(), 3, "bytes are counted, not characters");
    desk.put("a/1", "\"longer than ten\"").await;
    assert_eq!(desk.history("a/1").await.len(), 1);
    assert_eq!(desk.text("a/1").await.as_deref(), Some("\"longer than ten\""));
    desk.put("a/1", "\"4\"").await;
    assert_eq!(desk.history("a/1").await.len(), 1);
}

async fn the_history_of_what_is_gone_stays_until_others_are_gone(bed: &Bed) {
    let desk = Desk { limits: DocumentLimits { max_documents: 2, ..LIMITS }, ..Desk::new(bed) };
    for at in ["a/1", "a/2", "a/3"] {
        desk.put(at, "1").await;
        desk.delete(at).await;
    }
    assert_eq!((desk.history("a/1").await.len(), desk.history("a/2").await.len()), (0, 2));
    desk.put("a/2", "2").await;
    desk.put("a/4", "1").await;
    desk.delete("a/4").await;
    assert_eq!((desk.history("a/2").await.len(), desk.history("a/3").await.len()), (3, 2), "what is back is not gone");
}
