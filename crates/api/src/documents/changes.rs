//! Following what changes.

use super::{CollectionName, DocumentKey};
use crate::{Position, Timestamp};
use serde::{Deserialize, Serialize};

/// What was done to a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It was written.
    Put,
    /// It was deleted.
    Deleted,
    /// Its time was over.
    Expired,
}

/// A change of a document. Changes of one transaction have the same revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct DocumentChange {
    /// The revision of the namespace.
    pub revision: u64,
    /// The collection.
    pub collection: CollectionName,
    /// The document.
    pub key: DocumentKey,
    /// What was done.
    pub kind: ChangeKind,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// Asks for changes.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema, utoipa::IntoParams, schemars::JsonSchema)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListChanges {
    /// The position that an earlier answer, or a list, gave; where absent, the answer is the position of now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub after: Option<Position>,
    /// Only those of this collection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub collection: Option<CollectionName>,
    /// About how many changes: 1 to 1,000. A transaction is never split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// How long to wait for a change where there is none, in milliseconds: up to 60,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

/// That changes after a position are not in the log any more. Take a snapshot: list the documents, and go on from the
/// position of the first page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct Compacted {
    /// The last revision that left the log: positions before it cannot be continued.
    pub oldest: u64,
    /// The newest position.
    pub head: Position,
}

/// Changes after a position, in order and without gaps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct DocumentChanges {
    /// The changes.
    pub changes: Vec<DocumentChange>,
    /// Where to go on from.
    pub position: Position,
    /// Present where the position that was asked for cannot be continued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compacted: Option<Compacted>,
}
