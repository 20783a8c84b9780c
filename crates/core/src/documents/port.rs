//! What documents need from a store.

use crate::error::Result;
use crate::mail::RequestMemo;
use async_trait::async_trait;
use mainstay_api::documents::{ChangeKind, CollectionName, DocumentChange, DocumentKey};
use mainstay_api::{Epoch, Namespace, Position, RawJson, Timestamp};

/// A document within a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DocumentName {
    /// Its collection.
    pub collection: CollectionName,
    /// Its key.
    pub key: DocumentKey,
}

impl std::fmt::Display for DocumentName {
    /// No collection holds a slash, so that no name imitates another.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.collection, self.key)
    }
}

/// The text of a document, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBody {
    /// The text, opaque to the store. What is secret in it is sealed.
    pub text: RawJson,
    /// The key that something in it is sealed with.
    pub seal_key: Option<String>,
}

/// A document that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentRow {
    /// Which.
    pub name: DocumentName,
    /// The revision that changed it last.
    pub revision: u64,
    /// Its text.
    pub body: StoredBody,
    /// When it was changed.
    pub updated_at: Timestamp,
    /// Who changed it.
    pub updated_by: String,
    /// When it ends; never where absent.
    pub expires_at: Option<Timestamp>,
}

/// A revision of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionRow {
    /// The revision.
    pub revision: u64,
    /// What was done.
    pub kind: ChangeKind,
    /// The text from then on; absent where it was removed.
    pub body: Option<StoredBody>,
    /// What changed by it, opaque to the store, without secrets.
    pub diff: RawJson,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// A document to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBody {
    /// Its text.
    pub body: StoredBody,
    /// When it ends; never where absent.
    pub expires_at: Option<Timestamp>,
}

/// A change of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeDocument {
    /// Which.
    pub name: DocumentName,
    /// What to write; it is deleted where absent.
    pub write: Option<NewBody>,
    /// The revision that it must have, 0 where it must not be there; any where absent. What is deleted must be there.
    pub expected: Option<u64>,
    /// See [`RevisionRow::diff`].
    pub diff: RawJson,
}

/// A document that must have a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// Which.
    pub name: DocumentName,
    /// The revision; 0 where it must not be there.
    pub revision: u64,
}

/// Bounds of the documents of a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentLimits {
    /// Most documents; of as many that are gone, history is kept.
    pub max_documents: u32,
    /// Most revisions of a document, its current one among them.
    pub max_revisions: u32,
    /// Bytes of text of all revisions of a document; the current one is kept whatever it has.
    pub max_history_bytes: u64,
    /// Most changes in the log.
    pub max_log: u32,
}

/// Changes to make together.
#[derive(Debug, Clone)]
pub struct Transact {
    /// Where.
    pub namespace: Namespace,
    /// The changes, each of another document.
    pub changes: Vec<ChangeDocument>,
    /// What must hold besides.
    pub guards: Vec<Guard>,
    /// Under which request it is remembered.
    pub memo: Option<RequestMemo>,
    /// Who makes them.
    pub by: String,
    /// The life that begins where this is the first change of the namespace.
    pub epoch: Epoch,
    /// The bounds.
    pub limits: DocumentLimits,
    /// The present.
    pub now: Timestamp,
}

/// What became of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transacted {
    /// It stands.
    Committed(Position),
    /// It stands since an earlier call with the same request.
    Replayed(Position),
    /// The request id was used for something else.
    MemoMismatch,
    /// A document has another revision than was expected, or is to be deleted and is not there.
    Conflict {
        /// The first of them; guards are asked before changes.
        name: DocumentName,
        /// The revision that it has; 0 where it is not there.
        current: u64,
    },
    /// There would be more documents than there may be.
    Full,
}

/// A page of a collection.
#[derive(Debug, Clone)]
pub struct DocumentsQuery {
    /// Where.
    pub namespace: Namespace,
    /// Which collection.
    pub collection: CollectionName,
    /// Only keys after this one.
    pub after: Option<DocumentKey>,
    /// Most documents.
    pub limit: u32,
    /// The present.
    pub now: Timestamp,
}

/// Documents by key, in the order of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentsRead {
    /// The documents.
    pub rows: Vec<DocumentRow>,
    /// The key to go on after, where there may be more.
    pub next: Option<DocumentKey>,
    /// The newest position of the namespace at that moment.
    pub head: Position,
}

/// Revisions of a document to read.
#[derive(Debug, Clone)]
pub struct HistoryQuery {
    /// Where.
    pub namespace: Namespace,
    /// Which document.
    pub name: DocumentName,
    /// Only revisions before this one.
    pub before: Option<u64>,
    /// Most revisions.
    pub limit: u32,
}

/// Changes to read.
#[derive(Debug, Clone)]
pub struct ChangesQuery {
    /// Where.
    pub namespace: Namespace,
    /// Only those after this position.
    pub after: Position,
    /// Only those of this collection.
    pub collection: Option<CollectionName>,
    /// How many changes, of any collection, are looked at; a transaction is read to its end.
    pub limit: u32,
}

/// What follows a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangesRead {
    /// These, in order and without gaps.
    Page {
        /// The changes: whole transactions.
        changes: Vec<DocumentChange>,
        /// Where to go on from: the last transaction that was looked at, or the newest.
        position: Position,
    },
    /// Nobody knows: something after the position has left the log, or it is of another life, or ahead of this one.
    Compacted {
        /// The last revision that left the log.
        oldest: u64,
        /// The newest position.
        head: Position,
    },
}

/// A revision whose text is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRevision {
    /// Where.
    pub namespace: Namespace,
    /// Of which document.
    pub name: DocumentName,
    /// Which revision.
    pub revision: u64,
    /// Its text.
    pub body: StoredBody,
}

/// What to remove.
#[derive(Debug, Clone, Copy)]
pub struct PurgeDocuments {
    /// The present: documents whose time is over are removed.
    pub now: Timestamp,
    /// Revisions before this moment are removed where they are not the current one of a document.
    pub history_before: Timestamp,
    /// The bounds.
    pub limits: DocumentLimits,
    /// Most documents, and most revisions, of one namespace that one call removes.
    pub limit: u32,
}

/// Documents in a store. All documents of a namespace, with their history and the log of their changes, are one aggregate:
/// every method but [`seal_keys`](Self::seal_keys), [`sealed_otherwise`](Self::sealed_otherwise) and
/// [`purge`](Self::purge) is one atomic step on it. A write is durable when it returns, and wakes those who watch the
/// documents of the namespace.
///
/// A revision is `max(last + 1, now in microseconds)`, below 2^53, and never used twice. A document is absent from the moment
/// that it ends, by the time of the call, whether the store has removed it or not.
#[async_trait]
pub trait DocumentStore: Send + Sync {
    /// Makes all changes under one revision, or none. Asks in this order: the request id, the guards, the documents that are
    /// changed, the bound. Revisions of a document beyond its bounds leave its history, the oldest first, in the same step;
    /// so does the history of documents that are gone, the one that went first, and the oldest of the log.
    async fn transact(&self, transact: Transact) -> Result<Transacted>;

    /// A document; absent where it has ended.
    async fn document(&self, namespace: &Namespace, name: &DocumentName, now: Timestamp)
    -> Result<Option<DocumentRow>>;

    /// Documents of a collection. A page holds at most [`MAX_PAGE_BYTES`](super::MAX_PAGE_BYTES), and at least one document
    /// where there is one.
    async fn documents(&self, query: DocumentsQuery) -> Result<DocumentsRead>;

    /// The collections of a namespace that have documents, by name.
    async fn collections(&self, namespace: &Namespace) -> Result<Vec<CollectionName>>;

    /// Revisions of a document, the newest first; also of one that is gone. Bounded like a page of documents.
    async fn history(&self, query: HistoryQuery) -> Result<Vec<RevisionRow>>;

    /// Changes after a position. [`beginning`](mainstay_api::documents::beginning) is before the first change of every life.
    async fn changes(&self, query: ChangesQuery) -> Result<ChangesRead>;

    /// The newest position of a namespace; the beginning where nothing was ever written.
    async fn head(&self, namespace: &Namespace) -> Result<Position>;

    /// The ids of the keys that any revision of any document is sealed with.
    async fn seal_keys(&self) -> Result<Vec<String>>;

    /// Revisions that are sealed with another key than this one, at most `limit`.
    async fn sealed_otherwise(&self, key: &str, limit: u32) -> Result<Vec<SealedRevision>>;

    /// Replaces the text of a revision by the same text, sealed anew: no change that anybody could see. False where the
    /// revision is not there any more, or is not sealed with `before`.
    async fn reseal(&self, revision: SealedRevision, before: &str) -> Result<bool>;

    /// Removes documents whose time is over, as a change that those who watch see, and old revisions. Returns how much.
    async fn purge(&self, purge: PurgeDocuments) -> Result<u32>;
}
