//! What the audit trail needs from a store.

use super::hash::Hash;
use crate::error::Result;
use async_trait::async_trait;
use mainstay_api::audit::ChainId;

/// A place in a chain: an entry's number and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The number; 0 before the first entry.
    pub seq: u64,
    /// The hash; zeros before the first entry.
    pub hash: Hash,
}

impl Head {
    /// The place before the first entry.
    pub const GENESIS: Self = Self { seq: 0, hash: Hash::GENESIS };
}

/// An entry as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Its number.
    pub seq: u64,
    /// The hash of its body.
    pub hash: Hash,
    /// Its bytes, opaque to the store.
    pub body: String,
}

impl Sealed {
    /// The place of the entry.
    #[must_use]
    pub fn head(&self) -> Head {
        Head { seq: self.seq, hash: self.hash }
    }
}

/// Entries to append.
#[derive(Debug, Clone)]
pub struct Append {
    /// Where.
    pub chain: ChainId,
    /// The head that they continue.
    pub expected: Head,
    /// The entries, at least one, numbered on from the expected head.
    pub entries: Vec<Sealed>,
}

/// What became of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// The entries stand.
    Appended,
    /// The chain's head is another one; nothing was written.
    Moved(Head),
}

/// Where a chain begins and ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainState {
    /// The newest entry.
    pub head: Head,
    /// Entries kept, as the store counted them.
    pub count: u64,
    /// The last entry that was removed; [`Head::GENESIS`] where none was.
    pub base: Head,
    /// The statement under which it was removed, opaque to the store.
    pub trim: Option<String>,
}

/// The order of a page, and where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Ascending, with the first entry behind this number.
    After(u64),
    /// Descending, with the first entry before this number.
    Before(u64),
}

/// A page of a chain.
#[derive(Debug, Clone)]
pub struct PageQuery {
    /// Which chain.
    pub chain: ChainId,
    /// In which order, from where.
    pub order: Order,
    /// Entries at most.
    pub limit: u32,
}

/// The removal of a chain's beginning.
#[derive(Debug, Clone)]
pub struct Trim {
    /// Which chain.
    pub chain: ChainId,
    /// The last entry to remove.
    pub base: Head,
    /// The statement that allows it, kept with the base.
    pub statement: String,
}

/// What became of a removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trimmed {
    /// So many entries are gone; none where an earlier removal reached as far.
    Removed(u64),
    /// The chain holds another entry under that number, or none; nothing was removed.
    Mismatch,
}

/// The audit trail in a store. One chain is one aggregate. Nothing of it expires: entries leave through
/// [`AuditStore::trim`] alone.
#[async_trait]
pub trait AuditStore: Send + Sync {
    /// Appends entries where the chain's head is the expected one, in one atomic step, durable when it is answered.
    /// Where the head has moved but the last of the entries stands under its number with its hash, an earlier attempt
    /// succeeded, and so does this one: appending twice is appending once.
    async fn append(&self, append: Append) -> Result<Appended>;

    /// Where a chain begins and ends; `None` where it has no entry and never had one.
    async fn state(&self, chain: &ChainId) -> Result<Option<ChainState>>;

    /// Every chain that was ever appended to, in any order.
    async fn chains(&self) -> Result<Vec<ChainId>>;

    /// Entries of one moment, in order. A page may be shorter than asked for where its entries are large, but is empty
    /// only where nothing follows.
    async fn page(&self, query: PageQuery) -> Result<Vec<Sealed>>;

    /// Removes the entries up to and including the base, and records base and statement, in one atomic step. The
    /// newest entry of a chain is never removed.
    async fn trim(&self, trim: Trim) -> Result<Trimmed>;
}
