//! When the store is back.

use super::super::providers::Brought;
use super::refreshing::is_another;
use super::{KIND, MEMO_MS, OutlastingDocuments, is_away, read_kept, write};
use crate::documents::{ChangeDocument, Transact, Transacted};
use crate::error::{Error, Result};
use crate::outage::{COUNTS, Entry, POOL_CHANGES, RECORDS, Rewritten, Settlement};
use mainstay_api::{Namespace, Timestamp};
use std::collections::BTreeSet;

/// Entries that are rewritten at a time.
const ENTRIES: u32 = 1_000;

/// How an attempt to write what waits went on.
enum Step {
    /// An entry is settled.
    Settled,
    /// Nothing waits.
    Empty,
    /// The store is away, or takes nothing for now.
    Later,
}

impl OutlastingDocuments {
    /// One look at the store: keeps the copies up to it while it is there; once it is back, writes to it what waits.
    pub async fn run_once(&self) {
        if let Err(error) = self.pools.flush().await {
            tracing::error!(%error, internal = error.internal, "counts of providers wait in memory");
        }
        let done = match self.outage.standing.is_connected() {
            true => self.look().await,
            false => self.come_back().await,
        };
        if let Err(error) = done {
            tracing::warn!(%error, internal = error.internal, "the documents are not looked after for now");
        }
    }

    async fn come_back(&self) -> Result<()> {
        if self.probe.ping().await.is_err() {
            return Ok(());
        }
        match self.another().await {
            Ok(None) => {}
            Ok(Some(reason)) if self.outage.may_fill_another() => {
                tracing::warn!(reason, "what waits is written to it, as an operator said");
            }
            Ok(Some(reason)) => {
                if self.outage.standing.halted(&reason, self.clock.now()) {
                    tracing::error!(
                        reason,
                        "what waits is not written to it; `mainstay store journal replay --onto-empty` does so, \
                         `mainstay store journal discard` gives it up"
                    );
                }
                return Ok(());
            }
            Err(error) if is_away(&error) => return Ok(()),
            Err(error) => return Err(error),
        }
        self.write_all().await
    }

    /// Why the store is not the one that was lost, where something waits for that one.
    async fn another(&self) -> Result<Option<String>> {
        if !self.anything_waits().await? {
            return Ok(None);
        }
        let known: Vec<_> = {
            let spaces = self.lock();
            let with_copy =
                spaces.iter().filter_map(|(name, space)| Some((name.clone(), space.copy.as_ref()?.head.clone())));
            with_copy.collect()
        };
        let mut vouched = BTreeSet::new();
        for (namespace, known) in known {
            let head = self.inner.head(&namespace).await?;
            if known.offset.0 > 0 && known.epoch == head.epoch {
                vouched.insert(namespace.clone());
            }
            if is_another(&known, &head) {
                return Ok(Some(format!(
                    "the store is back and is not the one that was lost: the documents of {namespace} were at {known} and are at {head}"
                )));
            }
        }
        self.pools.another(&vouched).await
    }

    /// Whether any write waits. What is to be recorded belongs into whatever store there is.
    async fn anything_waits(&self) -> Result<bool> {
        let mut after = 0;
        loop {
            let entries = self.outage.journal.waiting(after, ENTRIES).await?;
            let Some(last) = entries.last() else { return Ok(false) };
            if entries.iter().any(|entry| entry.write.kind != RECORDS) {
                return Ok(true);
            }
            after = last.seq;
        }
    }

    async fn write_all(&self) -> Result<()> {
        let waited = self.outage.journal.held().await?.waiting;
        self.outage.standing.replaying(self.clock.now());
        tracing::info!(waited, "the store is back; what waits is written to it");
        let before = self.outage.standing.stood();
        loop {
            match self.write_next().await? {
                Step::Settled => {}
                Step::Later => return Ok(()),
                Step::Empty => break,
            }
        }
        // Nothing is kept while the copies are read anew, and nothing waits when the order is given back.
        let _order = self.outage.order.lock().await;
        if self.outage.journal.held().await?.waiting > 0 {
            return Ok(());
        }
        match self.refresh(true).await {
            Err(error) if is_away(&error) => {
                self.lost(&error);
                return Ok(());
            }
            refreshed => refreshed?,
        }
        self.outage.filled();
        self.outage.standing.connected();
        let stood = self.outage.standing.stood();
        let (replayed, refused) = (stood.replayed - before.replayed, stood.refused - before.refused);
        tracing::info!(replayed, refused, "the store is back: reconnected, and replayed what waited");
        Ok(())
    }

    /// Writes the entry that has waited longest.
    async fn write_next(&self) -> Result<Step> {
        let waiting = self.outage.journal.waiting(0, 1).await?;
        let Some(entry) = waiting.first() else { return Ok(Step::Empty) };
        match entry.write.kind.as_str() {
            KIND => self.write_transaction(entry).await,
            POOL_CHANGES => self.write_pool_change(entry).await,
            COUNTS => self.write_counts(entry).await,
            RECORDS => self.write_record(entry).await,
            other => self.refuse(entry, format!("this version does not know writes of the kind {other:?}")).await,
        }
    }

    /// Brings what was recorded of an act to the audit trail. In the rare case that the answer of the store is lost, the trail
    /// has it twice, with one mark: rather than not at all.
    async fn write_record(&self, entry: &Entry) -> Result<Step> {
        match self.audit.record_written(&entry.write.body).await {
            Ok(_) => self.applied(entry, Vec::new()).await,
            Err(error) if error.problem.retryable => {
                tracing::warn!(seq = entry.seq, %error, "the audit trail takes nothing for now");
                Ok(Step::Later)
            }
            Err(error) => self.refuse(entry, error.to_string()).await,
        }
    }

    async fn write_pool_change(&self, entry: &Entry) -> Result<Step> {
        match self.pools.write_change(&entry.write.body).await {
            Ok(Brought::Became { given, became }) if given == became => self.applied(entry, Vec::new()).await,
            Ok(Brought::Became { given, became }) => {
                let rewritten = self.pools.rewritten(entry, (given, became)).await?;
                self.applied(entry, rewritten).await
            }
            Ok(Brought::Stands) => self.applied(entry, Vec::new()).await,
            Ok(Brought::Refused(reason)) => self.refuse(entry, reason).await,
            Err(error) => self.failed(entry, error).await,
        }
    }

    async fn write_counts(&self, entry: &Entry) -> Result<Step> {
        match self.pools.write_counts(&entry.write.body).await {
            Ok(()) => self.applied(entry, Vec::new()).await,
            Err(error) => self.failed(entry, error).await,
        }
    }

    /// The store is away again, or takes nothing for now; or the write is wrong.
    async fn failed(&self, entry: &Entry, error: Error) -> Result<Step> {
        match error {
            error if is_away(&error) => {
                self.lost(&error);
                Ok(Step::Later)
            }
            error if error.problem.retryable || is_for_now(&error) => {
                tracing::warn!(seq = entry.seq, %error, "a write that waits is not taken for now");
                Ok(Step::Later)
            }
            error => self.refuse(entry, error.to_string()).await,
        }
    }

    async fn write_transaction(&self, entry: &Entry) -> Result<Step> {
        let kept = match read_kept(&entry.write.body) {
            Ok(kept) => kept,
            Err(error) => return self.refuse(entry, error.to_string()).await,
        };
        let now = self.clock.now();
        if kept.in_doubt && kept.memo.until <= now {
            let reason = "the store may have taken it when it was lost, and does not remember any more";
            return self.refuse(entry, reason.into()).await;
        }
        let mut transact = kept.transact();
        if let Some(memo) = &mut transact.memo {
            memo.until = memo.until.max(Timestamp::from_millis(now.as_millis() + MEMO_MS));
        }
        if self.outage.may_fill_another() {
            transact = unconditional(transact);
            if transact.changes.is_empty() {
                return self.applied(entry, Vec::new()).await;
            }
        }
        match self.inner.transact(transact).await {
            Ok(Transacted::Committed(position) | Transacted::Replayed(position)) => {
                let rewritten = match position.offset == kept.position.offset {
                    true => Vec::new(),
                    false => {
                        self.rewritten(&kept.namespace, entry.seq, (kept.position.offset.0, position.offset.0)).await?
                    }
                };
                self.applied(entry, rewritten).await
            }
            Ok(Transacted::Conflict { name, current }) => {
                let reason =
                    format!("{name} has the revision {current} in the store, which is not the one that was changed");
                self.refuse(entry, reason).await
            }
            Ok(Transacted::MemoMismatch) => {
                self.refuse(entry, "its request id was used for something else".into()).await
            }
            Ok(Transacted::Full) => self.refuse(entry, "there are as many documents as there may be".into()).await,
            Err(error) => self.failed(entry, error).await,
        }
    }

    /// An entry is in the store.
    async fn applied(&self, entry: &Entry, rewritten: Vec<Rewritten>) -> Result<Step> {
        if self.outage.journal.settle(entry.seq, Settlement::Applied(rewritten)).await? {
            self.outage.standing.settled(true);
        }
        tracing::debug!(seq = entry.seq, subject = entry.write.subject, "a write that waited is in the store");
        Ok(Step::Settled)
    }

    /// The entries that build on a write which became another revision than it was given.
    async fn rewritten(
        &self,
        namespace: &Namespace,
        behind: u64,
        (given, became): (u64, u64),
    ) -> Result<Vec<Rewritten>> {
        let (mut rewritten, mut after) = (Vec::new(), behind);
        loop {
            let entries = self.outage.journal.waiting(after, ENTRIES).await?;
            let Some(last) = entries.last() else { return Ok(rewritten) };
            after = last.seq;
            for entry in entries.iter().filter(|entry| entry.write.kind == KIND) {
                let mut kept = read_kept(&entry.write.body)?;
                if kept.namespace == *namespace && kept.build_on(given, became) {
                    rewritten.push(Rewritten { seq: entry.seq, body: write(&kept)? });
                }
            }
        }
    }

    /// Keeps an entry as refused, for somebody to look at.
    async fn refuse(&self, entry: &Entry, reason: String) -> Result<Step> {
        tracing::error!(
            seq = entry.seq,
            subject = entry.write.subject,
            by = entry.write.by,
            reason,
            "a write that waited was refused; `mainstay store journal list` shows it"
        );
        let settlement = Settlement::Refused { reason, at: self.clock.now() };
        if self.outage.journal.settle(entry.seq, settlement).await? {
            self.outage.standing.settled(false);
        }
        Ok(Step::Settled)
    }
}

/// The same, whatever the documents are: what they were before is gone. What deletes has nothing to delete any more.
fn unconditional(transact: Transact) -> Transact {
    let written = transact.changes.into_iter().filter(|change| change.write.is_some());
    let changes = written.map(|change| ChangeDocument { expected: None, ..change }).collect();
    Transact { changes, guards: Vec::new(), ..transact }
}

/// Whether it is the store that has no room, not the write that is wrong.
fn is_for_now(error: &Error) -> bool {
    matches!(error.code(), mainstay_api::Code::StoreFull)
}
