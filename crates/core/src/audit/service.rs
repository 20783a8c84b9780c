//! The rules of the audit trail.

use super::hash::Hash;
use super::lanes::{Lanes, Waiting, unavailable};
use super::port::AuditStore;
use super::record::Record;
use crate::Clock;
use crate::error::Result;
use mainstay_api::audit::ChainId;
use std::sync::Arc;
use tokio::sync::oneshot;

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
    lanes: Arc<Lanes>,
    clock: Arc<dyn Clock>,
}

impl AuditService {
    /// The audit trail on a store.
    #[must_use]
    pub fn new(store: Arc<dyn AuditStore>, clock: Arc<dyn Clock>, rules: AuditRules) -> Self {
        Self { lanes: Arc::new(Lanes::new(store, rules)), clock }
    }

    /// Records something, and returns when the entry stands in the store. Entries of one chain that are recorded at
    /// the same time share one append.
    ///
    /// # Errors
    /// `audit.unavailable`: what was to be recorded must then not take place. In rare cases (an answer of the store was
    /// lost for good) the entry stands all the same.
    pub async fn record(&self, record: Record) -> Result<Recorded> {
        let (reply, answer) = oneshot::channel();
        self.lanes.push(Waiting { record, at: self.clock.now(), reply })?;
        answer.await.unwrap_or_else(|_| Err(unavailable("its writer ended early", "the task of the chain is gone")))
    }
}
