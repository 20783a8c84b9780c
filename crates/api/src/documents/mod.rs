//! Documents: JSON that people and programs set, such as settings. Text for text as it was written, with versions, history
//! and a log of changes.

mod changes;
mod document;
mod history;
mod writing;

pub use changes::{ChangeKind, Compacted, DocumentChange, DocumentChanges, ListChanges};
pub use document::{Document, DocumentsPage, ListDocuments};
pub use history::{DiffOp, Difference, DocumentHistory, DocumentRevision, ListHistory};
pub use writing::{Committed, CommittedChange, RollBack, Transaction, WriteDocument, WriteOp, WriteOptions};

use crate::text::text_type;
use crate::{Epoch, Offset, Position, RawJson};

/// Largest document, in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 256 * 1_024;
/// Largest transaction, in bytes of all of its documents.
pub const MAX_TRANSACTION_BYTES: usize = 1_024 * 1_024;
/// Most changes and checks of a transaction.
pub const MAX_CHANGES: usize = 64;
/// Documents of a page where nobody says how many.
pub const DEFAULT_PAGE: u32 = 100;
/// Most documents of a page, revisions of a history, and changes of an answer.
pub const MAX_PAGE: u32 = 1_000;
/// What no collection may be called: these paths are taken.
const RESERVED: [&str; 3] = ["changes", "transactions", "watch"];
/// The collection of settings.
pub const SETTINGS: &str = "settings";
/// The collection whose documents are JSON Schemas; the key of each is the collection that it is for.
pub const SCHEMAS: &str = "schemas";

text_type! {
    /// The name of a collection of documents: small letters, digits, `.`, `_` and `-`, such as `settings`.
    CollectionName, "collection", 64, |value| {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
        let begins = value.as_bytes()[0].is_ascii_lowercase() || value.as_bytes()[0].is_ascii_digit();
        if RESERVED.contains(&value) {
            return Err(format!("{value:?} has another meaning in the paths of the API"));
        }
        (value.bytes().all(plain) && begins).then_some(()).ok_or_else(|| {
            format!("{value:?} must be small letters, digits, `.`, `_` and `-`, and begin with a letter or a digit")
        })
    }
}

text_type! {
    /// The key of a document within its collection.
    DocumentKey, "document key", 256, |value| crate::ids::no_nul(value)
}

/// A member that is there: `null` is a document like any other.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<RawJson>, D::Error> {
    serde::Deserialize::deserialize(deserializer).map(Some)
}

/// The position before the first change of a namespace, whatever its life is.
#[must_use]
pub fn beginning() -> Position {
    Position { epoch: Epoch::parse("begin").expect("a constant epoch is valid"), offset: Offset(0) }
}

impl CollectionName {
    /// The collection of settings.
    #[must_use]
    pub fn settings() -> Self {
        Self::parse(SETTINGS).expect("a constant name is valid")
    }

    /// The collection of schemas.
    #[must_use]
    pub fn schemas() -> Self {
        Self::parse(SCHEMAS).expect("a constant name is valid")
    }
}
