//! The rules of the audit trail.

mod anchoring;
mod reading;
mod retention;

use super::checkpoint::Notary;
use super::hash::Hash;
use super::lanes::{Lanes, Waiting, unavailable};
use super::ledger::Ledger;
use super::port::{AuditStore, Head};
use super::record::{Record, Stamp, seal, unseal};
use crate::error::{Error, Result};
use crate::{Caller, Clock, Mint, Principal, Scope};
use mainstay_api::Code;
use mainstay_api::audit::ChainId;
use std::sync::Arc;
use tokio::sync::{Mutex, oneshot};

/// What is configured about the audit trail.
#[derive(Debug, Clone, Copy)]
pub struct AuditRules {
    /// Entries of one chain that may wait in this process; more are refused.
    pub max_queue: usize,
    /// How long an append is tried again, in milliseconds.
    pub append_timeout_ms: u64,
    /// Age at which entries are removed, in milliseconds.
    pub retention_ms: i64,
}

impl Default for AuditRules {
    /// 10,000 entries; 10 seconds, well within the time that a request may take; 2,192 days, which are six years.
    fn default() -> Self {
        Self { max_queue: 10_000, append_timeout_ms: 10_000, retention_ms: 2_192 * 24 * 60 * 60 * 1_000 }
    }
}

/// An entry that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its chain.
    pub chain: ChainId,
    /// Its number there.
    pub seq: u64,
    /// Its hash.
    pub hash: Hash,
}

/// The audit trail: every operation, for every surface.
pub struct AuditService {
    store: Arc<dyn AuditStore>,
    lanes: Arc<Lanes>,
    clock: Arc<dyn Clock>,
    mint: Arc<dyn Mint>,
    rules: AuditRules,
    notary: Option<Arc<dyn Notary>>,
    /// The log of checkpoints as far as this process has read it.
    ledger: Mutex<Ledger>,
}

impl AuditService {
    /// The audit trail on a store, without checkpoints.
    #[must_use]
    pub fn new(store: Arc<dyn AuditStore>, clock: Arc<dyn Clock>, mint: Arc<dyn Mint>, rules: AuditRules) -> Self {
        let lanes = Arc::new(Lanes::new(Arc::clone(&store), rules));
        Self { store, lanes, clock, mint, rules, notary: None, ledger: Mutex::default() }
    }

    /// The same with what signs its checkpoints.
    #[must_use]
    pub fn with_notary(self, notary: Option<Arc<dyn Notary>>) -> Self {
        Self { notary, ..self }
    }

    /// Records something, and returns when the entry stands in the store. Entries of one chain that are recorded at
    /// the same time share one append.
    ///
    /// # Errors
    /// `audit.unavailable`: what was to be recorded must then not take place. In rare cases (an answer of the store was
    /// lost for good) the entry stands all the same.
    pub async fn record(&self, record: Record) -> Result<Recorded> {
        self.record_as(record, Stamp::new(self.clock.as_ref(), self.mint.as_ref())).await
    }

    /// A record as text that can wait for its place in the chain.
    pub(crate) fn written(&self, record: &Record) -> Result<(String, Stamp)> {
        let stamp = Stamp::new(self.clock.as_ref(), self.mint.as_ref());
        Ok((seal(record, &stamp, &Head::GENESIS)?.body, stamp))
    }

    /// Records what had to wait, with the time and the mark that it was given then.
    pub(crate) async fn record_written(&self, text: &str) -> Result<Recorded> {
        let (record, stamp) = unseal(text)?;
        self.record_as(record, stamp).await
    }

    async fn record_as(&self, record: Record, stamp: Stamp) -> Result<Recorded> {
        let (reply, answer) = oneshot::channel();
        self.lanes.push(Waiting { record, stamp, reply })?;
        answer.await.unwrap_or_else(|_| Err(unavailable("its writer ended early", "the task of the chain is gone")))
    }

    fn notary(&self) -> Result<&Arc<dyn Notary>> {
        self.notary.as_ref().ok_or_else(|| {
            let detail = "this process has no place for checkpoints";
            Error::new(
                Code::AuditCheckpointFailed,
                detail,
                "Ask the server, or a command that works on the store itself.",
            )
        })
    }
}

/// The chain that a caller may see: that of its namespace, and any where it administers the trail of the whole
/// installation.
fn visible(caller: &Caller, chain: Option<ChainId>) -> Result<ChainId> {
    may_read(caller)?;
    let own = ChainId::Namespace(caller.namespace.clone());
    let chain = chain.unwrap_or_else(|| own.clone());
    if chain != own {
        caller.require_everywhere(Scope::AuditAdmin)?;
    }
    Ok(chain)
}

/// A chain holds the acts of every tenant of its namespace, and the roles of a token hold for its tenant alone: whoever
/// bears one needs to administer the trail.
fn may_read(caller: &Caller) -> Result<()> {
    caller.require(Scope::AuditRead)?;
    match &caller.principal {
        Principal::Token(_) => caller.require_everywhere(Scope::AuditAdmin),
        Principal::Owner | Principal::Key(_) | Principal::User(_) => Ok(()),
    }
}
