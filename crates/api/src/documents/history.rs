//! What a document was before, and how it came to be what it is.

use super::{ChangeKind, present};
use crate::{RawJson, Timestamp};
use serde::{Deserialize, Serialize};

/// How one place in a document changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DiffOp {
    /// Something stands where nothing stood.
    Add,
    /// Nothing stands there any more.
    Remove,
    /// Something else stands there.
    Replace,
}

/// One place in a document that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct Difference {
    /// How.
    pub op: DiffOp,
    /// Where: a JSON Pointer.
    pub path: String,
    /// What stood there; absent where it is secret or long.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub old: Option<RawJson>,
    /// What stands there; absent where it is secret or long.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub new: Option<RawJson>,
    /// Whether it is secret: all that is said is that it changed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
}

/// Asks for the history of a document.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema, utoipa::IntoParams, schemars::JsonSchema)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListHistory {
    /// Most revisions: 1 to 1,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Only revisions before this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
}

/// What a document was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct DocumentRevision {
    /// The revision.
    pub revision: u64,
    /// What was done.
    pub kind: ChangeKind,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// What changed by it; at most 200 places.
    pub diff: Vec<Difference>,
    /// What the document was from then on, with masks; absent where it was removed.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub value: Option<RawJson>,
}

/// The history of a document, the newest revision first: at most 100 revisions, and 30 days beside the newest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct DocumentHistory {
    /// The revisions.
    pub revisions: Vec<DocumentRevision>,
    /// Whether there are earlier ones: ask for those before the last of these.
    pub more: bool,
}
