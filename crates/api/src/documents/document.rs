//! Reading documents.

use super::{CollectionName, DocumentKey};
use crate::{Position, RawJson, Timestamp};
use serde::{Deserialize, Serialize};

/// A document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct Document {
    /// Its collection.
    pub collection: CollectionName,
    /// Its key.
    pub key: DocumentKey,
    /// The revision of the namespace that changed it last: its version, and its `ETag`.
    pub revision: u64,
    /// When it was changed.
    pub updated_at: Timestamp,
    /// Who changed it.
    pub updated_by: String,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// What was written, text for text; `"********"` in the place of each secret unless it was asked for.
    pub value: RawJson,
}

/// Asks for documents of a collection.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema, utoipa::IntoParams, schemars::JsonSchema)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListDocuments {
    /// Most documents of the page: 1 to 1,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Continues where an earlier page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A page of documents, by key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct DocumentsPage {
    /// The documents.
    pub items: Vec<Document>,
    /// The cursor of the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Where the log of changes stood when the page was read: what follows it is newer than the page.
    pub position: Position,
}
