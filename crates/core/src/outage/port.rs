//! What an outage needs from a disk that is this node's own.

use crate::error::Result;
use async_trait::async_trait;
use mainstay_api::Timestamp;

/// A write to keep until the store is back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// Which port it is for, such as `documents`.
    pub kind: String,
    /// What sets it apart from every other write of its kind: a repetition of the same write has the same.
    pub request: String,
    /// What it writes, for people: names, never content.
    pub subject: String,
    /// The write itself, opaque to the journal. What is secret in it is sealed.
    pub body: String,
    /// Who writes.
    pub by: String,
    /// When it was written.
    pub at: Timestamp,
}

/// How a kept write stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryState {
    /// It waits for its turn.
    Waiting,
    /// The store is back and did not take it, for this reason. It is kept until somebody discards it.
    Refused {
        /// Why.
        reason: String,
        /// Since when.
        at: Timestamp,
    },
}

/// A kept write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number: grows with every entry, and is never used twice.
    pub seq: u64,
    /// The write.
    pub write: NewEntry,
    /// How it stands.
    pub state: EntryState,
}

/// Bounds of a journal. What is refused counts as well: it takes up the disk all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalBounds {
    /// Most entries.
    pub max_entries: u64,
    /// Most bytes of their bodies.
    pub max_bytes: u64,
}

impl Default for JournalBounds {
    /// 10,000 entries, ten times what the founding system kept; 64 MiB, within what any disk of a node has.
    fn default() -> Self {
        Self { max_entries: 10_000, max_bytes: 64 * 1_024 * 1_024 }
    }
}

/// What became of a write that was to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Journaled {
    /// It is on the disk, under this number.
    Kept(u64),
    /// It was kept by an earlier call.
    Known(Box<Entry>),
    /// There is no room: nothing was kept, and nothing that is kept makes room.
    Full(Held),
}

/// What a journal holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Held {
    /// Entries that wait.
    pub waiting: u64,
    /// Entries that were refused.
    pub refused: u64,
    /// Bytes of all bodies.
    pub bytes: u64,
    /// When the oldest entry that waits was written.
    pub oldest_at: Option<Timestamp>,
}

/// Another body of an entry that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// Which entry.
    pub seq: u64,
    /// What it writes from now on.
    pub body: String,
}

/// How an entry ends its wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// The store has it: it leaves the journal. Entries that build on it are rewritten in the same step.
    Applied(Vec<Rewritten>),
    /// The store did not take it, for this reason.
    Refused {
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
}

/// Entries to give up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discard {
    /// This one, whatever its state.
    One(u64),
    /// All that were refused.
    Refused,
    /// All but those of this kind, whatever their state.
    AllBut(&'static str),
}

/// Writes that wait for the store, on a disk of this node. Several processes may share it. Each verb is one atomic step, and
/// is on the disk when it returns.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Keeps a write behind all others, where it is within the bounds. One with the kind and request of an entry that is there
    /// is not kept again.
    async fn append(&self, entry: NewEntry, bounds: JournalBounds) -> Result<Journaled>;

    /// Entries after a number, by number, at most `limit`.
    async fn entries(&self, after: u64, limit: u32) -> Result<Vec<Entry>>;

    /// Entries that wait, by number, at most `limit`.
    async fn waiting(&self, after: u64, limit: u32) -> Result<Vec<Entry>>;

    /// Gives an entry that waits another body: joins what follows it into it. False where it does not wait.
    async fn rewrite(&self, rewritten: Rewritten) -> Result<bool>;

    /// Ends the wait of an entry. False where it does not wait: nothing changes then.
    async fn settle(&self, seq: u64, settlement: Settlement) -> Result<bool>;

    /// Gives entries up. Answers how many.
    async fn discard(&self, discard: Discard) -> Result<u64>;

    /// What it holds.
    async fn held(&self) -> Result<Held>;
}

/// A copy of something in the store, as it was at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The copy, opaque.
    pub text: String,
    /// When the store was as the copy says.
    pub at: Timestamp,
}

/// Copies of what the store holds, on a disk of this node. Each verb is one atomic step, and is on the disk when it returns.
#[async_trait]
pub trait Snapshots: Send + Sync {
    /// Keeps a copy under a name in place of an older one; one that is newer stays.
    async fn put(&self, name: &str, snapshot: Snapshot) -> Result<()>;

    /// The copy of a name.
    async fn snapshot(&self, name: &str) -> Result<Option<Snapshot>>;

    /// The names that begin so, in the order of bytes, at most `limit`.
    async fn names(&self, prefix: &str, limit: u32) -> Result<Vec<String>>;

    /// Forgets a copy. False where there is none.
    async fn forget(&self, name: &str) -> Result<bool>;
}
