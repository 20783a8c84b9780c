//! What the cases of documents share.

use crate::conformance::Bed;
use mainstay_core::api::documents::{CollectionName, DocumentChange, DocumentKey};
use mainstay_core::api::{Epoch, Namespace, Position, RawJson, Timestamp};
use mainstay_core::documents::{
    ChangeDocument, ChangesQuery, ChangesRead, DocumentLimits, DocumentName, DocumentRow, DocumentStore, Guard,
    HistoryQuery, NewBody, PurgeDocuments, RevisionRow, StoredBody, Transact, Transacted,
};
use mainstay_core::mail::RequestMemo;
use std::sync::Arc;

/// Bounds that no case meets by accident.
pub(crate) const LIMITS: DocumentLimits =
    DocumentLimits { max_documents: 1_000, max_revisions: 100, max_history_bytes: 1_048_576, max_log: 10_000 };

/// The documents of a namespace, at a moment.
#[derive(Clone)]
pub(super) struct Desk {
    pub documents: Arc<dyn DocumentStore>,
    pub namespace: Namespace,
    pub limits: DocumentLimits,
    pub memo: Option<RequestMemo>,
    pub guards: Vec<Guard>,
    pub now: Timestamp,
}

impl Desk {
    pub fn new(bed: &Bed) -> Self {
        Self::at(bed, bed.now())
    }

    pub fn at(bed: &Bed, now: Timestamp) -> Self {
        let (documents, namespace) = (bed.stores().documents.clone(), bed.namespace());
        Self { documents, namespace, limits: LIMITS, memo: None, guards: Vec::new(), now }
    }

    pub fn later(&self, millis: i64) -> Self {
        Self { now: Timestamp::from_millis(self.now.as_millis() + millis), ..self.clone() }
    }

    pub async fn transact(&self, changes: Vec<ChangeDocument>) -> Transacted {
        let transact = Transact {
            namespace: self.namespace.clone(),
            changes,
            guards: self.guards.clone(),
            memo: self.memo.clone(),
            by: "owner é\n".into(),
            epoch: Epoch::parse("e1").expect("an epoch"),
            limits: self.limits,
            now: self.now,
        };
        self.documents.transact(transact).await.expect("transact")
    }

    /// Writes one document, whatever it was; returns its revision.
    pub async fn put(&self, at: &str, text: &str) -> u64 {
        committed(&self.transact(vec![put(at, text)]).await).offset.0
    }

    pub async fn delete(&self, at: &str) -> u64 {
        committed(&self.transact(vec![delete(at)]).await).offset.0
    }

    pub async fn read(&self, at: &str) -> Option<DocumentRow> {
        self.documents.document(&self.namespace, &name(at), self.now).await.expect("read")
    }

    pub async fn text(&self, at: &str) -> Option<String> {
        self.read(at).await.map(|row| row.body.text.as_str().to_owned())
    }

    pub async fn history(&self, at: &str) -> Vec<RevisionRow> {
        let query = HistoryQuery { namespace: self.namespace.clone(), name: name(at), before: None, limit: 1_000 };
        self.documents.history(query).await.expect("history")
    }

    pub async fn head(&self) -> Position {
        self.documents.head(&self.namespace).await.expect("head")
    }

    pub async fn changes(&self, after: &Position, limit: u32) -> ChangesRead {
        let (namespace, after) = (self.namespace.clone(), after.clone());
        let query = ChangesQuery { namespace, after, collection: None, limit };
        self.documents.changes(query).await.expect("changes")
    }

    /// The changes after a position that can be continued.
    pub async fn page(&self, after: &Position, limit: u32) -> (Vec<DocumentChange>, Position) {
        match self.changes(after, limit).await {
            ChangesRead::Page { changes, position } => (changes, position),
            other @ ChangesRead::Compacted { .. } => panic!("{other:?}"),
        }
    }

    pub async fn purge(&self, history_before: Timestamp) -> u32 {
        let purge = PurgeDocuments { now: self.now, history_before, limits: self.limits, limit: 100 };
        self.documents.purge(purge).await.expect("purge")
    }
}

/// A name, written `<collection>/<key>`.
pub(super) fn name(at: &str) -> DocumentName {
    let (collection, key) = at.split_once('/').expect("a collection and a key");
    DocumentName {
        collection: CollectionName::parse(collection).expect("a collection"),
        key: DocumentKey::parse(key).expect("a key"),
    }
}

pub(super) fn body(text: &str) -> StoredBody {
    StoredBody { text: RawJson::parse(text).expect("JSON"), seal_key: None }
}

pub(super) fn put(at: &str, text: &str) -> ChangeDocument {
    let write = Some(NewBody { body: body(text), expires_at: None });
    ChangeDocument { name: name(at), write, expected: None, diff: diff(text) }
}

pub(super) fn delete(at: &str) -> ChangeDocument {
    ChangeDocument { name: name(at), write: None, expected: None, diff: diff("\"gone\"") }
}

pub(super) fn expecting(change: ChangeDocument, expected: u64) -> ChangeDocument {
    ChangeDocument { expected: Some(expected), ..change }
}

pub(super) fn ending(change: ChangeDocument, at: Timestamp) -> ChangeDocument {
    let write = change.write.map(|new| NewBody { expires_at: Some(at), ..new });
    ChangeDocument { write, ..change }
}

pub(super) fn diff(text: &str) -> RawJson {
    RawJson::parse(&format!("[{text}]")).expect("JSON")
}

/// Where a transaction stands.
pub(super) fn committed(done: &Transacted) -> Position {
    match done {
        Transacted::Committed(position) => position.clone(),
        other => panic!("{other:?}"),
    }
}
