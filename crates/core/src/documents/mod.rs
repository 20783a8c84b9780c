//! Documents: JSON that is set, such as settings, with versions, history, schemas, secrets and a log of changes.

mod diff;
mod port;
mod refusals;
mod schema;
mod service;

pub use port::{
    ChangeDocument, ChangesQuery, ChangesRead, DocumentLimits, DocumentName, DocumentRow, DocumentStore,
    DocumentsQuery, DocumentsRead, Guard, HistoryQuery, NewBody, PurgeDocuments, RevisionRow, SealedRevision,
    StoredBody, Transact, Transacted,
};
pub use service::{DocumentRules, DocumentService};

/// Bytes of text of one page of documents or revisions, where it has more than one.
pub const MAX_PAGE_BYTES: usize = 1_024 * 1_024;
/// How long a request id is remembered, in milliseconds: a day.
pub const REQUEST_MEMO_MS: i64 = 24 * 60 * 60 * 1_000;
