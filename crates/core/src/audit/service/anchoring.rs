//! Making checkpoints.

use super::AuditService;
use crate::audit::checkpoint::{Anchor, Checkpoint, Mention};
use crate::audit::hash::Hash;
use crate::audit::keys::PublicKey;
use crate::audit::ledger::{Anchored, Ledger};
use crate::audit::port::{ChainState, Order, PageQuery};
use crate::audit::record::Record;
use crate::audit::walk::CHECKPOINTED;
use crate::error::{Error, Result};
use crate::{Caller, Scope};
use mainstay_api::Code;
use mainstay_api::audit::{AuditClass, AuditEntry, AuditKey, AuditResource, ChainId, CheckpointMade, GENESIS};
use std::collections::BTreeSet;

/// Chains that one checkpoint vouches for at most: its line stays well below what is read of one.
const MAX_ANCHORS: usize = 4_000;
/// How often a checkpoint is made anew because another process wrote to the log meanwhile.
const MAX_ATTEMPTS: usize = 16;
/// Entries that tell of checkpoints alone, up to which a chain counts as at rest.
const MAX_MENTIONS: u64 = 64;

impl AuditService {
    /// Makes a checkpoint at the wish of a caller.
    ///
    /// # Errors
    /// `auth.forbidden`, `audit.key_invalid`, `audit.checkpoint_failed`, and those of the store.
    pub async fn checkpoint(&self, caller: &Caller) -> Result<CheckpointMade> {
        caller.require_everywhere(Scope::AuditAdmin)?;
        self.anchor().await
    }

    /// The public half of the key that signs checkpoints, which is made where there is none yet.
    ///
    /// # Errors
    /// `auth.forbidden`, `audit.key_invalid`.
    pub async fn key(&self, caller: &Caller) -> Result<AuditKey> {
        caller.require(Scope::AuditRead)?;
        Ok(self.notary()?.signer().await?.public().shown())
    }

    /// Signs where the chains end and keeps that outside of the store, where any of them has grown since; for the
    /// background job.
    ///
    /// # Errors
    /// `audit.key_invalid`, `audit.checkpoint_failed`, and those of the store.
    pub async fn anchor(&self) -> Result<CheckpointMade> {
        let notary = self.notary()?;
        let signer = notary.signer().await?;
        let trusted = [signer.public()];
        let mut ledger = self.ledger.lock().await;
        for _ in 0..MAX_ATTEMPTS {
            ledger.catch_up(notary.as_ref(), &trusted, true).await?;
            let (mut grown, total) = self.grown(&ledger).await?;
            // Those beyond the bound are vouched for by the next checkpoint.
            grown.truncate(MAX_ANCHORS);
            let at = self.clock.now();
            let previous = ledger.last.map_or(GENESIS.to_owned(), |hash| hash.to_string());
            if grown.is_empty() {
                return Ok(CheckpointMade { written: false, number: ledger.number, hash: previous, chains: 0, at });
            }
            let chains = grown.len() as u64;
            let number = ledger.number + 1;
            let line = signer.sign(Checkpoint { number, at, previous, total, chains: grown })?.to_line()?;
            if notary.append(ledger.next, &line).await?.is_none() {
                self.look_again(&mut ledger, &trusted).await?;
                continue;
            }
            let hash = Hash::of(line.as_bytes());
            ledger.catch_up(notary.as_ref(), &trusted, true).await?;
            let log = Mention::log_of(ledger.first.unwrap_or(hash));
            self.mention(&Mention { log, number, hash: hash.to_string() }).await;
            return Ok(CheckpointMade { written: true, number, hash: hash.to_string(), chains, at });
        }
        let detail = "other processes were always first to write to the log of checkpoints";
        Err(Error::new(Code::AuditCheckpointFailed, detail, "Repeat the call."))
    }

    /// Reads a log that is not as it was: what another process added, or all of it where it was cut or replaced.
    async fn look_again(&self, ledger: &mut Ledger, trusted: &[PublicKey]) -> Result<()> {
        let notary = self.notary()?;
        let next = ledger.next;
        ledger.catch_up(notary.as_ref(), trusted, true).await?;
        if ledger.next == next {
            tracing::error!("the log of checkpoints was cut or replaced; it is read anew");
            *ledger = Ledger::default();
        }
        Ok(())
    }

    /// The chains that grew since the log's last word on them, and the number of chains.
    async fn grown(&self, ledger: &Ledger) -> Result<(Vec<Anchor>, u64)> {
        let listed: BTreeSet<ChainId> = self.store.chains().await?.into_iter().collect();
        let total = listed.len() as u64;
        let mut grown = Vec::new();
        for chain in listed.into_iter().chain(ledger.anchors.keys().cloned()).collect::<BTreeSet<_>>() {
            let newest = ledger.newest(&chain);
            let Some(state) = self.store.state(&chain).await? else {
                tracing::error!(%chain, "a chain of the audit trail is gone; `mainstay audit verify` tells more");
                continue;
            };
            if let Some(newest) = newest {
                if state.head == newest.head {
                    continue;
                }
                if state.head.seq <= newest.head.seq {
                    tracing::error!(%chain, "a chain of the audit trail lost its end or was replaced; see `mainstay audit verify`");
                }
                if chain == ChainId::Server && self.is_at_rest(&state, newest).await? {
                    continue;
                }
            }
            grown.push(Anchor {
                chain,
                seq: state.head.seq,
                hash: state.head.hash.to_string(),
                count: state.count,
                base_seq: state.base.seq,
                base_hash: state.base.hash.to_string(),
            });
        }
        Ok((grown, total))
    }

    /// Whether a chain has grown by nothing but the entries that tell of checkpoints: they would call for a next one
    /// for ever.
    async fn is_at_rest(&self, state: &ChainState, newest: Anchored) -> Result<bool> {
        let count = state.head.seq.saturating_sub(newest.head.seq);
        if count == 0 || count > MAX_MENTIONS {
            return Ok(false);
        }
        let order = Order::After(newest.head.seq);
        let limit = u32::try_from(count).unwrap_or(u32::MAX);
        let rows = self.store.page(PageQuery { chain: ChainId::Server, order, limit }).await?;
        let tells =
            |body: &str| serde_json::from_str::<AuditEntry>(body).is_ok_and(|entry| entry.action == CHECKPOINTED);
        Ok(rows.iter().all(|row| tells(&row.body)))
    }

    /// Tells the trail of a checkpoint, so that a log that is cut back is noticed. The checkpoint stands without it.
    async fn mention(&self, mention: &Mention) {
        let resource = AuditResource { kind: "checkpoint".into(), id: Some(mention.to_string()) };
        let record = Record { resource: Some(resource), ..Record::system(CHECKPOINTED, AuditClass::System) };
        if let Err(error) = self.record(record).await {
            tracing::warn!(%error, "the trail was not told of a checkpoint");
        }
    }
}
