//! How the store stands, and what a node keeps while it is away.

pub mod legacy;

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// The header of an answer that came from the last known copy: its age in seconds, rounded up.
pub const STALE_HEADER: &str = "mainstay-stale";
/// The header of an answer to a write that is kept in the journal of the node: the number of its entry.
pub const KEPT_HEADER: &str = "mainstay-journal-entry";

/// What is done at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StorePhase {
    /// The store answers, and nothing waits for it.
    Connected,
    /// The store does not answer: settings are read from copies, and written to the journal.
    Away,
    /// The store is back, and what waits is written to it.
    Replaying,
    /// The store is back and is not the one that was lost: what waits is not written until somebody says so.
    Halted,
}

/// What a node has asked of its store, and how that went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StoreCounts {
    /// Commands that were sent, each attempt for itself.
    pub commands: u64,
    /// Those that failed.
    pub failed_commands: u64,
    /// How often the node connected anew.
    pub reconnects: u64,
    /// When it connected first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_connected_at: Option<Timestamp>,
    /// When it connected last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connected_at: Option<Timestamp>,
    /// When something failed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<Timestamp>,
    /// Why it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// What the journal of a node holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct JournalStatus {
    /// Writes that wait for the store.
    pub waiting: u64,
    /// Writes that the store did not take when it was back; they are kept until somebody discards them.
    pub refused: u64,
    /// Bytes of both.
    pub bytes: u64,
    /// When the oldest write that waits was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_at: Option<Timestamp>,
    /// Most entries; more writes are refused.
    pub max_entries: u64,
    /// Most bytes.
    pub max_bytes: u64,
    /// Writes that were brought to the store since the node was started.
    pub replayed: u64,
    /// How often the store went away since then.
    pub outages: u64,
}

/// How the store of a node stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StoreStatus {
    /// `sqlite`, `redis`, `redis+sentinel` or `redis+cluster`.
    pub kind: String,
    /// Where it is, without any secret.
    pub location: String,
    /// Whether it answered just now.
    pub reachable: bool,
    /// The time of that round trip, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// What is done at the moment.
    pub state: StorePhase,
    /// Since when answers come from copies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Why what waits is not written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the node has asked of it.
    pub counts: StoreCounts,
    /// The journal of the node; absent where the store is a file of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journal: Option<JournalStatus>,
}

/// A write that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct JournalEntry {
    /// Its number. The order of numbers is the order in which they are written to the store.
    pub seq: u64,
    /// What kind of write: `documents`, or `audit` for what is recorded of one.
    pub kind: String,
    /// What it writes: names, never content.
    pub subject: String,
    /// Who wrote.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why the store did not take it; absent while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// When the store did not take it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_at: Option<Timestamp>,
}

/// Asks for entries.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListJournal {
    /// Only entries after this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// Most entries: 1 to 1,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Entries by number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct JournalPage {
    /// The entries.
    pub entries: Vec<JournalEntry>,
    /// The number to go on after, where there may be more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// Asks to write what waits.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayJournal {
    /// Whether it may be written to a store that is not the one that was lost, whatever is in it.
    #[serde(default)]
    pub onto_empty: bool,
}

/// What is written now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct JournalReplay {
    /// How many writes wait as it begins.
    pub waiting: u64,
}

/// Which entries to give up: exactly one of these.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscardJournal {
    /// This one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// Those that the store did not take.
    #[serde(default)]
    pub refused: bool,
    /// All.
    #[serde(default)]
    pub all: bool,
}

/// What was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct JournalDiscarded {
    /// How many entries.
    pub discarded: u64,
}
