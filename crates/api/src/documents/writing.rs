//! Changing documents.

use super::{ChangeKind, CollectionName, Difference, DocumentKey, present};
use crate::{Position, RawJson};
use serde::{Deserialize, Serialize};

/// What to do with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WriteOp {
    /// Write `value`. A mask where a secret stands keeps that secret.
    Put,
    /// Change the members that `value` names (RFC 7396); all others keep their text.
    Patch,
    /// Delete it.
    Delete,
    /// Write the earlier revision `revision` of it again.
    RollBack,
    /// Leave it, but do nothing at all unless it has the expected revision.
    Check,
}

/// One document of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteDocument {
    /// Its collection.
    pub collection: CollectionName,
    /// Its key.
    pub key: DocumentKey,
    /// What to do.
    pub op: WriteOp,
    /// What to put, or the merge patch.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub value: Option<RawJson>,
    /// The revision to roll back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// The revision that it must have; 0 where it must not be there; any where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<u64>,
    /// How long it lives, in milliseconds. Without, what is put lives on, and what is patched keeps its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_ms: Option<u64>,
}

/// Changes that are made together, or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Transaction {
    /// The changes: 1 to 64, each of another document.
    pub changes: Vec<WriteDocument>,
    /// Whether only to say what would change.
    #[serde(default)]
    pub dry_run: bool,
}

/// How one document is written.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema, utoipa::IntoParams, schemars::JsonSchema)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct WriteOptions {
    /// How long it lives, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_ms: Option<u64>,
    /// Whether only to say what would change.
    #[serde(default)]
    pub dry_run: bool,
}

/// Which revision to write again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollBack {
    /// The revision.
    pub revision: u64,
}

/// What was, or would be, done to a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct CommittedChange {
    /// Its collection.
    pub collection: CollectionName,
    /// Its key.
    pub key: DocumentKey,
    /// What.
    pub kind: ChangeKind,
    /// What changed by it; at most 200 places.
    pub diff: Vec<Difference>,
}

/// A transaction that was made, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct Committed {
    /// Where it stands in the log: its offset is the revision of every document in it. Absent in a dry run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// Whether an earlier call with the same request id did it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replayed: bool,
    /// The changes; none where it was replayed.
    pub changes: Vec<CommittedChange>,
}

impl Committed {
    /// The revision of every document in it; 0 in a dry run.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.position.as_ref().map_or(0, |position| position.offset.0)
    }
}
