//! Reading what was written, as it was written.

use super::desk::{Desk, name, put};
use crate::conformance::mail::hostile::HOSTILE;
use crate::conformance::{Bed, cases};
use mainstay_core::api::documents::{CollectionName, DocumentKey, beginning};
use mainstay_core::documents::{DocumentName, DocumentsQuery, DocumentsRead};

cases! {
    ($) documents_reading_tests, documents::reading:
    what_was_never_written_is_absent,
    a_text_is_read_byte_for_byte,
    any_key_names_a_document_of_its_own,
    a_collection_is_listed_by_the_bytes_of_its_keys,
    a_list_is_read_in_pages,
    a_page_is_bounded_in_bytes,
    collections_are_those_that_have_documents,
    namespaces_have_documents_of_their_own,
}

async fn list(desk: &Desk, collection: &str, after: Option<&str>, limit: u32) -> DocumentsRead {
    let query = DocumentsQuery {
        namespace: desk.namespace.clone(),
        collection: CollectionName::parse(collection).expect("a collection"),
        after: after.map(|key| DocumentKey::parse(key).expect("a key")),
        limit,
        now: desk.now,
    };
    desk.documents.documents(query).await.expect("list")
}

fn keys(page: &DocumentsRead) -> Vec<&str> {
    page.rows.iter().map(|row| row.name.key.as_str()).collect()
}

async fn what_was_never_written_is_absent(bed: &Bed) {
    let desk = Desk::new(bed);
    assert_eq!((desk.read("a/1").await, desk.head().await), (None, beginning()));
    let page = list(&desk, "a", None, 10).await;
    assert_eq!((page.rows.len(), page.next, page.head), (0, None, beginning()));
    assert!(desk.history("a/1").await.is_empty());
}

async fn a_text_is_read_byte_for_byte(bed: &Bed) {
    let desk = Desk::new(bed);
    let text = "{\"b\" : [ ],\"n\":1769176045109123,\"big\":12345678901234567890123,\"f\":1.50,\"o\":{},\n \"s\":\"\\/\\u0000é🦀\",\"x\":null}";
    for text in [text, "null", "[]", "\"\"", "0"] {
        desk.put("a/1", text).await;
        assert_eq!(desk.text("a/1").await.as_deref(), Some(text));
    }
}

async fn any_key_names_a_document_of_its_own(bed: &Bed) {
    let desk = Desk::new(bed);
    for (nth, key) in HOSTILE.iter().enumerate() {
        desk.put(&format!("a/{key}"), &nth.to_string()).await;
    }
    for (nth, key) in HOSTILE.iter().enumerate() {
        let at = format!("a/{key}");
        let row = desk.read(&at).await.expect("a document");
        assert_eq!((row.name, row.body.text.as_str()), (name(&at), nth.to_string().as_str()));
        assert_eq!(desk.history(&at).await.len(), 1);
    }
}

async fn a_collection_is_listed_by_the_bytes_of_its_keys(bed: &Bed) {
    let desk = Desk::new(bed);
    let ordered = [" ", "%", "-", "/", "0", "A", "_", "a", "a/b", "ab", "b", "é", "🦀"];
    for key in ordered.iter().rev() {
        desk.put(&format!("a/{key}"), "1").await;
    }
    for neighbour in ["a-b/1", "a.b/1", "a0/1", "b/1", "0/1"] {
        desk.put(neighbour, "1").await;
    }
    let page = list(&desk, "a", None, 100).await;
    assert_eq!(keys(&page), ordered);
    assert_eq!((page.next, page.head), (None, desk.head().await));
}

async fn a_list_is_read_in_pages(bed: &Bed) {
    let desk = Desk::new(bed);
    for key in 0..5 {
        desk.put(&format!("a/{key}"), "1").await;
    }
    let first = list(&desk, "a", None, 2).await;
    assert_eq!((keys(&first), first.next.as_ref().map(DocumentKey::as_str)), (vec!["0", "1"], Some("1")));
    let second = list(&desk, "a", Some("1"), 2).await;
    assert_eq!(keys(&second), ["2", "3"]);
    let last = list(&desk, "a", Some("3"), 2).await;
    assert_eq!((keys(&last), last.next.is_none()), (vec!["4"], true));
}

async fn a_page_is_bounded_in_bytes(bed: &Bed) {
    let desk = Desk::new(bed);
    let long = format!("\"{}\"", "x".repeat(256 * 1_024 - 2));
    for key in 0..5 {
        desk.put(&format!("a/{key}"), &long).await;
    }
    let page = list(&desk, "a", None, 100).await;
    assert_eq!((page.rows.len(), page.next.as_ref().map(DocumentKey::as_str)), (4, Some("3")));
    assert_eq!(keys(&list(&desk, "a", Some("3"), 100).await), ["4"]);
}

async fn collections_are_those_that_have_documents(bed: &Bed) {
    let desk = Desk::new(bed);
    for at in ["b/1", "a/1", "a/2", "a-b/1", "a.c/0", "z/1"] {
        desk.put(at, "1").await;
    }
    desk.delete("z/1").await;
    let found = desk.documents.collections(&desk.namespace).await.expect("collections");
    let mut found: Vec<_> = found.iter().map(CollectionName::as_str).collect();
    found.sort_unstable();
    assert_eq!(found, ["a", "a-b", "a.c", "b"]);
}

async fn namespaces_have_documents_of_their_own(bed: &Bed) {
    let desks: Vec<_> =
        HOSTILE.iter().map(|text| Desk { namespace: bed.namespace_like(text), ..Desk::new(bed) }).collect();
    for (nth, desk) in desks.iter().enumerate() {
        desk.transact(vec![put("a/1", &nth.to_string())]).await;
    }
    for (nth, desk) in desks.iter().enumerate() {
        assert_eq!(desk.text("a/1").await, Some(nth.to_string()));
        let other = DocumentName { key: DocumentKey::parse("2").expect("a key"), ..name("a/1") };
        assert_eq!(desk.documents.document(&desk.namespace, &other, desk.now).await.expect("read"), None);
    }
}
