//! The port of the audit trail on the model.

use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::api::audit::ChainId;
use mainstay_core::audit::{Append, Appended, AuditStore, ChainState, Head, Order, PageQuery, Sealed, Trim, Trimmed};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

struct Chain {
    state: ChainState,
    entries: BTreeMap<u64, Sealed>,
}

/// The audit trail in memory: one lock around every chain.
#[derive(Default)]
pub(super) struct ModelAudit {
    chains: Mutex<BTreeMap<ChainId, Chain>>,
}

impl ModelAudit {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ChainId, Chain>> {
        self.chains.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn new_chain() -> Chain {
    let state = ChainState { head: Head::GENESIS, count: 0, base: Head::GENESIS, trim: None };
    Chain { state, entries: BTreeMap::new() }
}

#[async_trait]
impl AuditStore for ModelAudit {
    async fn append(&self, append: Append) -> Result<Appended> {
        let mut chains = self.lock();
        let head = chains.get(&append.chain).map_or(Head::GENESIS, |chain| chain.state.head);
        let Some(last) = append.entries.last() else { return Ok(Appended::Appended) };
        if head != append.expected {
            let stands = chains.get(&append.chain).and_then(|chain| chain.entries.get(&last.seq));
            let stands = stands.is_some_and(|entry| entry.hash == last.hash);
            return Ok(if stands { Appended::Appended } else { Appended::Moved(head) });
        }
        let chain = chains.entry(append.chain).or_insert_with(new_chain);
        chain.state.head = last.head();
        chain.state.count += append.entries.len() as u64;
        chain.entries.extend(append.entries.into_iter().map(|entry| (entry.seq, entry)));
        Ok(Appended::Appended)
    }

    async fn state(&self, chain: &ChainId) -> Result<Option<ChainState>> {
        Ok(self.lock().get(chain).map(|chain| chain.state.clone()))
    }

    async fn chains(&self) -> Result<Vec<ChainId>> {
        Ok(self.lock().keys().cloned().collect())
    }

    async fn page(&self, query: PageQuery) -> Result<Vec<Sealed>> {
        let chains = self.lock();
        let Some(chain) = chains.get(&query.chain) else { return Ok(Vec::new()) };
        let limit = query.limit as usize;
        let entries = chain.entries.values().cloned();
        Ok(match query.order {
            Order::After(seq) => entries.filter(|entry| entry.seq > seq).take(limit).collect(),
            Order::Before(seq) => entries.rev().filter(|entry| entry.seq < seq).take(limit).collect(),
        })
    }

    async fn trim(&self, trim: Trim) -> Result<Trimmed> {
        let mut chains = self.lock();
        let Some(chain) = chains.get_mut(&trim.chain) else { return Ok(Trimmed::Mismatch) };
        if trim.base.seq <= chain.state.base.seq {
            return Ok(Trimmed::Removed(0));
        }
        let holds = chain.entries.get(&trim.base.seq).is_some_and(|entry| entry.hash == trim.base.hash);
        if !holds || trim.base.seq >= chain.state.head.seq {
            return Ok(Trimmed::Mismatch);
        }
        let before = chain.entries.len();
        chain.entries.retain(|seq, _| *seq > trim.base.seq);
        let removed = (before - chain.entries.len()) as u64;
        chain.state.count -= removed;
        chain.state.base = trim.base;
        chain.state.trim = Some(trim.statement);
        Ok(Trimmed::Removed(removed))
    }
}
