//! How documents are shown to a model: as text, so that no digit changes.

use mainstay_api::Timestamp;
use mainstay_api::documents::{CollectionName, Document, DocumentKey};
use schemars::JsonSchema;
use serde::Serialize;

/// A document.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp::tools) struct Shown {
    /// The collection.
    collection: CollectionName,
    /// The key.
    key: DocumentKey,
    /// Its version; pass it as `expected` to change this version and no other.
    revision: u64,
    /// When it was changed.
    updated_at: Timestamp,
    /// Who changed it.
    updated_by: String,
    /// The document, as JSON text; `********` in the place of secrets.
    json: String,
}

impl Shown {
    pub(super) fn of(document: Document) -> Self {
        Self {
            collection: document.collection,
            key: document.key,
            revision: document.revision,
            updated_at: document.updated_at,
            updated_by: document.updated_by,
            json: document.value.as_str().to_owned(),
        }
    }
}
