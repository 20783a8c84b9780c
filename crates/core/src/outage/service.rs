//! What operators may see and do.

use super::{Discard, Entry, Held, Journaled, NewEntry, Outage, Phase, RECORDS, Stood, journal_full};
use crate::audit::{AuditService, Record};
use crate::error::{Error, Result};
use crate::{Caller, Scope};
use mainstay_api::store::DiscardJournal;
use std::sync::Arc;

/// Most entries of a page.
const MAX_PAGE: u32 = 1_000;

/// The journal of a node, for its operators. What it holds belongs to every namespace.
pub struct OutageService {
    outage: Option<Arc<Outage>>,
}

impl OutageService {
    /// Of a node; one whose store is its own disk has no journal.
    #[must_use]
    pub fn new(outage: Option<Arc<Outage>>) -> Self {
        Self { outage }
    }

    /// Whether the store is away, and this node goes on without it.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.outage.as_ref().is_some_and(|outage| !outage.standing.is_connected())
    }

    /// Keeps what is to be recorded of an act that goes on while the store is away, ahead of the act itself; it is brought to
    /// the audit trail, with its time, when the store is back.
    ///
    /// # Errors
    /// `store.journal_full`: the act must then not take place. Those of the disk.
    pub async fn keep_record(&self, audit: &AuditService, record: &Record) -> Result<()> {
        let outage =
            self.outage.as_ref().ok_or_else(|| Error::bug("a record is to be kept where there is no journal"))?;
        let (body, stamp) = audit.written(record)?;
        let entry = NewEntry {
            kind: RECORDS.into(),
            request: format!("{} {}", stamp.at, stamp.nonce),
            subject: format!("{} {}", record.chain, record.action),
            body,
            by: record.principal.clone(),
            at: stamp.at,
        };
        match outage.journal.append(entry, outage.bounds).await? {
            Journaled::Kept(_) | Journaled::Known(_) => Ok(()),
            Journaled::Full(held) => Err(journal_full(&held)),
        }
    }

    /// How the store stands; absent where there is no journal.
    #[must_use]
    pub fn stood(&self) -> Option<Stood> {
        self.outage.as_ref().map(|outage| outage.standing.stood())
    }

    /// What the journal holds; absent where there is none.
    ///
    /// # Errors
    /// Those of the disk.
    pub async fn held(&self) -> Result<Option<Held>> {
        match &self.outage {
            Some(outage) => outage.journal.held().await.map(Some),
            None => Ok(None),
        }
    }

    /// The journal and all beside it; absent where there is none.
    #[must_use]
    pub fn outage(&self) -> Option<&Arc<Outage>> {
        self.outage.as_ref()
    }

    /// Entries after a number: those that wait, and those that were refused.
    ///
    /// # Errors
    /// `auth.forbidden`; an invalid request; those of the disk.
    pub async fn entries(&self, caller: &Caller, after: u64, limit: u32) -> Result<Vec<Entry>> {
        caller.require_everywhere(Scope::StoreRead)?;
        if limit == 0 || limit > MAX_PAGE {
            return Err(Error::invalid(format!("limit: {limit} is not between 1 and {MAX_PAGE}")));
        }
        match &self.outage {
            Some(outage) => outage.journal.entries(after, limit).await,
            None => Ok(Vec::new()),
        }
    }

    /// Gives entries up, for good: exactly one of these. What is to be recorded in the audit trail is never among `all`.
    /// Answers how many.
    ///
    /// # Errors
    /// `auth.forbidden`; an invalid request; those of the disk.
    pub async fn discard(&self, caller: &Caller, which: &DiscardJournal) -> Result<u64> {
        caller.require_everywhere(Scope::StoreAdmin)?;
        let discard = match (which.seq, which.refused, which.all) {
            (Some(seq), false, false) => Discard::One(seq),
            (None, true, false) => Discard::Refused,
            (None, false, true) => Discard::AllBut(RECORDS),
            _ => return Err(Error::invalid("give exactly one of seq, refused and all")),
        };
        let Some(outage) = &self.outage else { return Ok(0) };
        let discarded = outage.journal.discard(discard).await?;
        tracing::warn!(discarded, ?discard, by = %caller.principal, "writes that waited for the store were given up");
        outage.replay(false);
        Ok(discarded)
    }

    /// Asks the store now, and writes to it what waits. Answers how it stood.
    ///
    /// # Errors
    /// `auth.forbidden`; an invalid request where the store is not the one that was lost and nobody said that it may be
    /// filled; those of the disk.
    pub async fn replay(&self, caller: &Caller, onto_empty: bool) -> Result<Option<Held>> {
        caller.require_everywhere(Scope::StoreAdmin)?;
        let Some(outage) = &self.outage else { return Ok(None) };
        if let (Phase::Halted { reason, .. }, false) = (outage.standing.stood().phase, onto_empty) {
            return Err(Error::invalid(format!(
                "{reason}; say --onto-empty to write what waits to this store, or discard it"
            )));
        }
        outage.replay(onto_empty);
        outage.journal.held().await.map(Some)
    }
}
