//! What settings do while the store is away: they are read from the last known copy, and what is written waits in a journal on
//! the disk of this node until the store is back.

mod documents;
mod noting;
mod port;
mod providers;
mod service;
mod standing;

pub use documents::{OutlastingDocuments, OutlastingParts};
pub use noting::{Noted, noting};
pub use port::{
    Discard, Entry, EntryState, Held, Journal, JournalBounds, Journaled, NewEntry, Rewritten, Settlement, Snapshot,
    Snapshots,
};
pub use providers::OutlastingProviders;
pub use service::OutageService;
pub use standing::{Phase, Standing, Stood};

use crate::error::Error;
use mainstay_api::errors::Applied;
use mainstay_api::{Code, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// What entries of the journal say that are transactions of documents.
const TRANSACTIONS: &str = "documents";
/// What entries of the journal say that are changes of pools of providers.
const POOL_CHANGES: &str = "pools";
/// What entries of the journal say that are counts of providers.
const COUNTS: &str = "counts";
/// What entries of the journal say that wait for the audit trail.
const RECORDS: &str = "audit";

/// What a node has for the time in which its store is away.
pub struct Outage {
    /// Writes that wait.
    pub journal: Arc<dyn Journal>,
    /// The last known copies.
    pub snapshots: Arc<dyn Snapshots>,
    /// How the store stands.
    pub standing: Standing,
    /// Bounds of the journal.
    pub bounds: JournalBounds,
    /// Whether somebody said that what waits may be written to a store that is not the one that was lost.
    onto_empty: AtomicBool,
    /// Somebody wants the store to be asked now.
    asked: Notify,
    /// Held while a write is judged and kept, and while the journal is found empty: what waits is in the order of the copies.
    order: tokio::sync::Mutex<()>,
}

impl Outage {
    /// On a disk of this node; the store is there as far as anybody knows.
    #[must_use]
    pub fn new(journal: Arc<dyn Journal>, snapshots: Arc<dyn Snapshots>, bounds: JournalBounds) -> Self {
        Self {
            journal,
            snapshots,
            standing: Standing::default(),
            bounds,
            onto_empty: AtomicBool::new(false),
            asked: Notify::new(),
            order: tokio::sync::Mutex::default(),
        }
    }

    /// Has what waits be written as soon as the store answers; also to another store than was lost where that is said.
    pub fn replay(&self, onto_empty: bool) {
        if onto_empty {
            self.onto_empty.store(true, Ordering::SeqCst);
        }
        self.asked.notify_one();
    }

    /// Returns when somebody wants the store to be asked now.
    pub async fn asked(&self) {
        self.asked.notified().await;
    }

    /// Notes that the store is away.
    fn lost(&self, error: &Error, now: Timestamp) {
        if self.standing.lost(now) {
            tracing::warn!(
                %error,
                internal = error.internal,
                "the store is lost: settings and pools of providers are read from the last known copy, and what is written \
                 of them is kept in the journal"
            );
        }
    }

    /// The error for what is not in any copy.
    fn away(&self) -> Error {
        let since = self.standing.stood().phase.since();
        let since = since.map(|since| format!(" since {since}")).unwrap_or_default();
        Error::unavailable(
            format!("the store is away{since}, and there is no copy of what was asked for"),
            "neither the store nor a copy",
        )
    }

    fn may_fill_another(&self) -> bool {
        self.onto_empty.load(Ordering::SeqCst)
    }

    fn filled(&self) {
        self.onto_empty.store(false, Ordering::SeqCst);
    }
}

fn journal_full(held: &Held) -> Error {
    let entries = held.waiting + held.refused;
    tracing::error!(
        waiting = held.waiting,
        refused = held.refused,
        bytes = held.bytes,
        "the journal is full: a write was refused"
    );
    Error::new(
        Code::JournalFull,
        format!("the store is away, and the journal of this node is full with {entries} writes"),
        "Bring the store back; what is kept is replayed then. Or raise MAINSTAY_OUTAGE_MAX_ENTRIES and \
         MAINSTAY_OUTAGE_MAX_BYTES. Nothing was written.",
    )
    .retry_after_ms(5_000)
}

/// Whether an error says that the store is away, and nothing else.
fn is_away(error: &Error) -> bool {
    error.code() == Code::StoreUnavailable
}

/// Whether what failed may have taken place.
fn is_in_doubt(error: &Error) -> bool {
    error.problem.applied != Applied::No
}

/// How old a copy is.
fn age_ms(fresh_at: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(now.as_millis().saturating_sub(fresh_at.as_millis())).unwrap_or(0)
}
