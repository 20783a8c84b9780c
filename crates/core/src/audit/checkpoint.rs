//! Checkpoints: what was true of the chains at a moment, signed and kept outside of the store.

use super::hash::Hash;
use super::keys::{PublicKey, Signed, Signer, Statement};
use super::port::Head;
use crate::error::Result;
use async_trait::async_trait;
use mainstay_api::Timestamp;
use mainstay_api::audit::ChainId;
use serde::{Deserialize, Serialize};

/// What a checkpoint says of one chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// The chain.
    pub chain: ChainId,
    /// The number of its newest entry.
    pub seq: u64,
    /// The hash of that entry.
    pub hash: String,
    /// Entries kept.
    pub count: u64,
    /// The number of the last entry that retention removed.
    pub base_seq: u64,
    /// The hash of that entry.
    pub base_hash: String,
}

/// What was true of the chains at a moment. It names the chains that grew since the checkpoint before it: the set of
/// chains is the union over all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Its number in its log: 1, 2, 3 and so on.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// The hash of the line before it; zeros for the first.
    pub previous: String,
    /// How many chains there were.
    pub total: u64,
    /// What is said of them.
    pub chains: Vec<Anchor>,
}

impl Statement for Checkpoint {
    const KIND: &'static str = "mainstay audit checkpoint 1";
}

/// The permission to remove the beginning of a chain, kept in the store with what it removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrimStatement {
    /// The chain.
    pub chain: ChainId,
    /// The number of the last entry that may go.
    pub seq: u64,
    /// The hash of that entry.
    pub hash: String,
    /// When it was permitted.
    pub at: Timestamp,
}

impl Statement for TrimStatement {
    const KIND: &'static str = "mainstay audit trim 1";
}

/// Whether a statement of the store permits that a chain begins behind this place.
pub(super) fn permits(statement: Option<&str>, chain: &ChainId, base: Head, trusted: &[PublicKey]) -> bool {
    let parsed = statement.and_then(|text| serde_json::from_str::<Signed<TrimStatement>>(text).ok());
    parsed.is_some_and(|signed| {
        let said = &signed.statement;
        let fits = said.chain == *chain && said.seq == base.seq && said.hash == base.hash.to_string();
        fits && signed.is_by(trusted)
    })
}

/// Some lines of the log of checkpoints.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    /// Whole lines, without their ends.
    pub lines: Vec<String>,
    /// Where the next line begins, in bytes.
    pub next: u64,
}

/// What signs the heads of chains, and keeps the signed checkpoints in a place outside of the store.
#[async_trait]
pub trait Notary: Send + Sync {
    /// The key; made at the first call where there is none.
    async fn signer(&self) -> Result<Signer>;

    /// The key's public half, where there is a key already: to verify is no reason to make one.
    async fn public(&self) -> Result<Option<PublicKey>>;

    /// Lines of the log from a place on, a bounded number of them; none at its end, and none where there is no log.
    async fn read(&self, from: u64) -> Result<Lines>;

    /// Adds a line where the log ends at this place, in one step even where several processes share the log, and
    /// durably. Returns where the next line begins; `None` where the log has grown, or is shorter.
    async fn append(&self, at: u64, line: &str) -> Result<Option<u64>>;
}

/// Names a checkpoint in the trail: the log (the beginning of the hash of its first line), the number and the hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mention {
    pub log: String,
    pub number: u64,
    pub hash: String,
}

impl Mention {
    /// Digits of the hash of its first line that name a log.
    const LOG_DIGITS: usize = 16;

    pub fn log_of(first: Hash) -> String {
        let mut name = first.to_string();
        name.truncate(Self::LOG_DIGITS);
        name
    }

    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let (log, number, hash) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
        Some(Self { log: log.into(), number, hash: hash.into() })
    }
}

impl std::fmt::Display for Mention {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.log, self.number, self.hash)
    }
}
