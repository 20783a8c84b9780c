//! What settings do while the store is away: they are read from the last known copy, and what is written waits in a journal on
//! the disk of this node until the store is back.

mod documents;
mod noting;
mod port;
mod service;
mod standing;

pub use documents::{OutlastingDocuments, OutlastingParts};
pub use noting::{Noted, noting};
pub use port::{
    Discard, Entry, EntryState, Held, Journal, JournalBounds, Journaled, NewEntry, Rewritten, Settlement, Snapshot,
    Snapshots,
};
pub use service::OutageService;
pub use standing::{Phase, Standing, Stood};

use crate::error::Error;
use mainstay_api::Code;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// What entries of the journal say that are transactions of documents.
const TRANSACTIONS: &str = "documents";
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
