//! Removing what is older than it has to be kept.

use super::AuditService;
use crate::audit::checkpoint::TrimStatement;
use crate::audit::hash::Hash;
use crate::audit::keys::Signer;
use crate::audit::ledger::Ledger;
use crate::audit::port::{Head, Order, PageQuery, Trim, Trimmed};
use crate::audit::record::Record;
use crate::error::{Error, Result};
use crate::{Caller, Scope};
use mainstay_api::audit::{AuditClass, AuditEntry, AuditResource, ChainId, TrimReport};
use mainstay_api::{Code, Timestamp};

impl AuditService {
    /// Removes what is older than it has to be kept, at the wish of a caller.
    ///
    /// # Errors
    /// `auth.forbidden`, and those of [`AuditService::expire`].
    pub async fn trim(&self, caller: &Caller, limit: u32) -> Result<TrimReport> {
        caller.require_everywhere(Scope::AuditAdmin)?;
        self.expire(limit).await
    }

    /// Removes entries that are older than the retention, at most `limit` of each chain; for the background job. Only
    /// what a checkpoint vouches for is removed, after its links were verified, with a signed statement that stays in
    /// its place, and the removal is an entry of the chain.
    ///
    /// # Errors
    /// `audit.key_invalid`, `audit.checkpoint_failed`, and those of the store.
    pub async fn expire(&self, limit: u32) -> Result<TrimReport> {
        let notary = self.notary()?;
        let cutoff = Timestamp::from_millis(self.clock.now().as_millis().saturating_sub(self.rules.retention_ms));
        let mut report = TrimReport { removed: 0, chains: 0, more: false };
        // Nothing is anchored without a key, and so nothing may go.
        let Some(public) = notary.public().await? else { return Ok(report) };
        let mut ledger = self.ledger.lock().await;
        ledger.catch_up(notary.as_ref(), &[public], true).await?;
        for chain in self.store.chains().await? {
            let Some(base) = self.last_to_remove(&ledger, Old { chain: &chain, cutoff, limit }).await? else {
                continue;
            };
            let removed = self.remove(&notary.signer().await?, &chain, base).await?;
            report.removed += removed;
            report.chains += u64::from(removed > 0);
            report.more |= removed >= u64::from(limit);
        }
        Ok(report)
    }

    /// The last of the oldest entries that may go, where any may.
    async fn last_to_remove(&self, ledger: &Ledger, old: Old<'_>) -> Result<Option<Head>> {
        let Some(anchor) = ledger.newest(old.chain) else { return Ok(None) };
        let Some(state) = self.store.state(old.chain).await? else { return Ok(None) };
        let (mut place, mut last) = (state.base, None);
        while place.seq < state.base.seq + u64::from(old.limit) {
            let order = Order::After(place.seq);
            let rows = self.store.page(PageQuery { chain: old.chain.clone(), order, limit: old.limit }).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                let entry = serde_json::from_str::<AuditEntry>(&row.body);
                let Some(entry) = entry.ok().filter(|entry| {
                    let whole = row.seq == place.seq + 1 && entry.seq == row.seq;
                    whole && entry.prev == place.hash.to_string() && Hash::of(row.body.as_bytes()) == row.hash
                }) else {
                    // Evidence is not removed.
                    tracing::error!(chain = %old.chain, seq = row.seq, "the audit trail is broken; nothing more of it is removed");
                    return Ok(last);
                };
                let reached = place.seq >= state.base.seq + u64::from(old.limit);
                if reached || entry.at >= old.cutoff || row.seq > anchor.head.seq || row.seq >= state.head.seq {
                    return Ok(last);
                }
                place = row.head();
                last = Some(place);
            }
        }
        Ok(last)
    }

    async fn remove(&self, signer: &Signer, chain: &ChainId, base: Head) -> Result<u64> {
        let at = self.clock.now();
        let statement = TrimStatement { chain: chain.clone(), seq: base.seq, hash: base.hash.to_string(), at };
        let statement = signer.sign(statement)?.to_line()?;
        match self.store.trim(Trim { chain: chain.clone(), base, statement }).await? {
            Trimmed::Removed(0) => Ok(0),
            Trimmed::Removed(removed) => {
                let resource = AuditResource { kind: "audit_entries".into(), id: Some(format!("..{}", base.seq)) };
                let record = Record::system("audit.trimmed", AuditClass::System);
                self.record(Record { chain: chain.clone(), resource: Some(resource), ..record }).await?;
                Ok(removed)
            }
            Trimmed::Mismatch => Err(Error::new(
                Code::StoreInconsistent,
                format!("the chain {chain} changed while its oldest entries were about to be removed"),
                "Run `mainstay audit verify`.",
            )),
        }
    }
}

/// What is too old in one chain.
#[derive(Clone, Copy)]
struct Old<'a> {
    chain: &'a ChainId,
    cutoff: Timestamp,
    limit: u32,
}
