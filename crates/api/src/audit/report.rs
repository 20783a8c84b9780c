//! What a verification finds, and what else is said about the trail as a whole.

use super::ChainId;
use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// What to verify.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct VerifyAudit {
    /// Only this chain; every chain that the caller may see when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub chain: Option<ChainId>,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// An entry does not have the hash that it was written with.
    Changed,
    /// An entry is missing.
    Removed,
    /// Entries stand in another order, or an entry stands under a number that is not its own.
    Reordered,
    /// An entry was put in that does not continue the one before it.
    Inserted,
    /// The end of the chain is missing: a checkpoint tells of entries behind its head.
    Truncated,
    /// A chain is missing that a checkpoint tells of.
    Deleted,
    /// The chain is another one than at the time of a checkpoint.
    Replaced,
    /// The beginning of the chain is missing without a signed statement that it may be.
    Trimmed,
    /// What the store says of the chain (head, number of entries) is not what it holds.
    Head,
    /// A line of the checkpoint file is not signed by a trusted key, was changed, or does not follow the one before it.
    Checkpoint,
    /// The checkpoint file ends before a checkpoint that the trail tells of.
    RolledBack,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Finding {
    /// What kind of thing.
    pub kind: FindingKind,
    /// The entry, or the line of the checkpoint file, where it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<u64>,
    /// In words.
    pub detail: String,
}

/// What was found in one chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ChainReport {
    /// The chain.
    pub chain: ChainId,
    /// Whether nothing is wrong with it.
    pub intact: bool,
    /// Entries examined.
    pub entries: u64,
    /// The number of its newest entry.
    pub seq: u64,
    /// The number of the last entry that retention removed; 0 where it removed none.
    pub base_seq: u64,
    /// Up to which entry a checkpoint vouches for it; absent where none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchored_seq: Option<u64>,
    /// When that checkpoint was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchored_at: Option<Timestamp>,
    /// Entries behind it: whoever can write to the store could have cut them off, or changed them and recomputed
    /// the hashes.
    pub not_anchored: u64,
    /// What is wrong; the first ones where there is much.
    pub findings: Vec<Finding>,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct VerifyReport {
    /// Whether nothing is wrong anywhere.
    pub intact: bool,
    /// Whether every chain is anchored by a checkpoint, at least in part.
    pub anchored: bool,
    /// The chains, by name.
    pub chains: Vec<ChainReport>,
    /// Checkpoints read.
    pub checkpoints: u64,
    /// The ids of the keys that were trusted.
    pub keys: Vec<String>,
    /// What is wrong with the checkpoints themselves.
    pub findings: Vec<Finding>,
    /// What is not wrong, but worth knowing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
    /// When it was verified.
    pub at: Timestamp,
}

/// The answer to the wish for a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CheckpointMade {
    /// Whether a new one was written; `false` where nothing has changed since the last one.
    pub written: bool,
    /// The number of the last checkpoint.
    pub number: u64,
    /// Its hash, 64 hexadecimal digits.
    pub hash: String,
    /// Chains that it newly vouches for.
    pub chains: u64,
    /// When it was made.
    pub at: Timestamp,
}

/// The key that signs checkpoints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AuditKey {
    /// Its id: the first 16 hexadecimal digits of the SHA-256 of the public key.
    pub id: String,
    /// The public key (Ed25519), 64 hexadecimal digits.
    pub public_key: String,
}

/// What retention removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TrimReport {
    /// Entries removed.
    pub removed: u64,
    /// Chains that lost entries.
    pub chains: u64,
    /// Whether more could be removed at once.
    pub more: bool,
}
