//! What was counted while the store was away.

use super::{OutlastingProviders, State};
use crate::error::{Error, Result};
use crate::outage::{COUNTS, Journaled, NewEntry, Rewritten, is_away};
use crate::providers::{AddCounts, CountsOf, PoolName};
use crate::text::hex;
use mainstay_api::Timestamp;
use mainstay_api::providers::ProviderId;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// How long a use that nobody ended is remembered after its end: its end may be told late.
const REMEMBERED_MS: i64 = 60 * 60 * 1_000;

impl State {
    /// The counts of a provider that are not written down yet.
    pub(super) fn counts(&mut self, pool: &PoolName, provider: &ProviderId) -> &mut CountsOf {
        let counted = self.counted.entry(pool.clone()).or_default();
        counted.entry(provider.clone()).or_insert_with(|| CountsOf {
            provider: provider.clone(),
            requests: 0,
            errors: 0,
            used_at: None,
            failed_at: None,
        })
    }

    /// Counts what could not be written down once more.
    fn count_again(&mut self, pool: &PoolName, counts: Vec<CountsOf>) {
        for counts in counts {
            join(self.counts(pool, &counts.provider), &counts);
        }
    }
}

impl OutlastingProviders {
    /// Writes down what was counted since the last time: to the store where it is there, else joined into one entry of the
    /// journal for each pool. A process that is killed loses what it counted since, at most a second.
    pub(in crate::outage) async fn flush(&self) -> Result<()> {
        let now = self.parts.clock.now();
        let counted = {
            let mut state = self.lock();
            state.uses.retain(|_, used| used.ends_at.as_millis() + REMEMBERED_MS > now.as_millis());
            std::mem::take(&mut state.counted)
        };
        let mut written = Ok(());
        for (pool, counts) in counted {
            let counts: Vec<CountsOf> = counts.into_values().collect();
            let memo = hex(&self.parts.mint.secret()[..16]);
            let add = AddCounts { pool, memo, counts, now };
            // Where those of one pool cannot be written down, those of the others are not lost with them.
            written = self.write_down(add).await.and(written);
        }
        written
    }

    async fn write_down(&self, add: AddCounts) -> Result<()> {
        if !self.is_connected() {
            return self.keep_counts(add, true).await;
        }
        match self.parts.providers.add_counts(add.clone()).await {
            Ok(_) => Ok(()),
            Err(error) => {
                if is_away(&error) {
                    self.lost(&error);
                }
                // The store may have them: nothing may be joined to what it would recognise.
                self.keep_counts(add, false).await
            }
        }
    }

    async fn keep_counts(&self, add: AddCounts, may_join: bool) -> Result<()> {
        let kept = self.kept(&add, may_join).await;
        if !matches!(kept, Ok(true)) {
            self.lock().count_again(&add.pool, add.counts);
        }
        self.is_full.store(kept.as_ref().is_ok_and(|kept| !kept), Ordering::Relaxed);
        kept.map(drop)
    }

    /// Whether there was room for them.
    async fn kept(&self, add: &AddCounts, may_join: bool) -> Result<bool> {
        let journal = &self.parts.outage.journal;
        let open = self.lock().open.get(&add.pool).cloned().filter(|_| may_join);
        if let Some((seq, before)) = open {
            let joined = joined(before, add);
            if journal.rewrite(Rewritten { seq, body: written(&joined)? }).await? {
                self.lock().open.insert(add.pool.clone(), (seq, joined));
                return Ok(true);
            }
        }
        let entry = NewEntry {
            kind: COUNTS.into(),
            request: add.memo.clone(),
            subject: format!("{} {} counts", add.pool.namespace, add.pool.pool),
            body: written(add)?,
            by: "system".into(),
            at: add.now,
        };
        match journal.append(entry, self.parts.outage.bounds).await? {
            Journaled::Kept(seq) if may_join => {
                self.lock().open.insert(add.pool.clone(), (seq, add.clone()));
                Ok(true)
            }
            Journaled::Kept(_) | Journaled::Known(_) => Ok(true),
            Journaled::Full(_) => {
                tracing::error!(pool = %add.pool.pool, "the journal is full: nothing is chosen that could not be counted");
                Ok(false)
            }
        }
    }

    /// Brings counts that waited to the store. What is counted from now on does not join them.
    pub(in crate::outage) async fn write_counts(&self, body: &str) -> Result<()> {
        let mut add: AddCounts = serde_json::from_str(body)
            .map_err(|e| Error::inconsistent(format!("counts in the journal cannot be read: {e}")))?;
        self.lock().open.remove(&add.pool);
        add.now = self.parts.clock.now();
        let pool = add.pool.clone();
        if !self.parts.providers.add_counts(add).await? {
            tracing::warn!(pool = %pool.pool, namespace = %pool.namespace, "counts of a pool that is gone are given up");
        }
        Ok(())
    }
}

fn joined(mut before: AddCounts, add: &AddCounts) -> AddCounts {
    let mut all: BTreeMap<ProviderId, CountsOf> =
        before.counts.into_iter().map(|counts| (counts.provider.clone(), counts)).collect();
    for counts in &add.counts {
        match all.get_mut(&counts.provider) {
            Some(known) => join(known, counts),
            None => drop(all.insert(counts.provider.clone(), counts.clone())),
        }
    }
    before.counts = all.into_values().collect();
    before
}

fn join(into: &mut CountsOf, counts: &CountsOf) {
    let later = |a: Option<Timestamp>, b: Option<Timestamp>| a.max(b);
    into.requests += counts.requests;
    into.errors += counts.errors;
    into.used_at = later(into.used_at, counts.used_at);
    into.failed_at = later(into.failed_at, counts.failed_at);
}

fn written(add: &AddCounts) -> Result<String> {
    serde_json::to_string(add).map_err(|e| Error::bug(format!("counts cannot be written down: {e}")))
}
