//! When the store is back.

use super::{KeptChange, OutlastingProviders, read_kept};
use crate::error::{Error, Result};
use crate::outage::{Entry, POOL_CHANGES, Rewritten};
use crate::providers::{ChangePool, PatchProvider, PoolChange, PoolOutcome, PoolRecord};
use mainstay_api::Namespace;
use mainstay_api::providers::ProviderId;
use std::collections::{BTreeMap, BTreeSet};

/// Entries that are rewritten at a time.
const ENTRIES: u32 = 1_000;

/// What became of a change that waited.
pub(in crate::outage) enum Brought {
    /// It stands.
    Became {
        /// The revision that it was given here.
        given: u64,
        /// The revision that it has in the store.
        became: u64,
    },
    /// It stood before.
    Stands,
    /// The store does not take it, for this reason.
    Refused(String),
}

impl OutlastingProviders {
    /// Brings a change that waited to the store.
    pub(in crate::outage) async fn write_change(&self, body: &str) -> Result<Brought> {
        let kept = read_kept(body)?;
        let change = match self.parts.outage.may_fill_another() {
            true => unconditional(kept.change.clone()),
            false => kept.change.clone(),
        };
        match self.parts.providers.change(change).await? {
            PoolOutcome::Changed(became) => Ok(Brought::Became { given: kept.revision, became }),
            PoolOutcome::Conflict { .. } | PoolOutcome::NotFound | PoolOutcome::Exists
                if kept.in_doubt && self.stands(&kept).await? =>
            {
                Ok(Brought::Stands)
            }
            PoolOutcome::Conflict { current } => Ok(Brought::Refused(format!(
                "the pool {}, or what was changed in it, has the version {current} in the store",
                kept.change.pool.pool
            ))),
            PoolOutcome::Exists => Ok(Brought::Refused("the provider is there with other settings".into())),
            PoolOutcome::NotFound => Ok(Brought::Refused("the pool, or the provider, is not there any more".into())),
            PoolOutcome::Full => Ok(Brought::Refused("the pool is full".into())),
        }
    }

    /// Whether the store is as a change wanted it: it made the change before it was lost.
    async fn stands(&self, kept: &KeptChange) -> Result<bool> {
        let pool = self.parts.providers.pool(&kept.change.pool, self.parts.clock.now()).await?;
        Ok(is_as(&kept.change.change, pool.as_ref()))
    }

    /// The entries that build on a change which became another revision than it was given.
    pub(in crate::outage) async fn rewritten(
        &self,
        entry: &Entry,
        (given, became): (u64, u64),
    ) -> Result<Vec<Rewritten>> {
        let pool = read_kept(&entry.write.body)?.change.pool;
        let (mut rewritten, mut after) = (Vec::new(), entry.seq);
        loop {
            let entries = self.parts.outage.journal.waiting(after, ENTRIES).await?;
            let Some(last) = entries.last() else { return Ok(rewritten) };
            after = last.seq;
            for entry in entries.iter().filter(|entry| entry.write.kind == POOL_CHANGES) {
                let mut kept = read_kept(&entry.write.body)?;
                if kept.change.pool == pool && kept.build_on(given, became) {
                    let body = serde_json::to_string(&kept)
                        .map_err(|e| Error::bug(format!("a change of a pool cannot be written down: {e}")))?;
                    rewritten.push(Rewritten { seq: entry.seq, body });
                }
            }
        }
    }

    /// Why the store is not the one that was lost, as far as pools tell: all that were known of a namespace are gone at once.
    /// A pool that is gone while others stand was removed; so were all of a namespace whose documents are those that were known.
    pub(in crate::outage) async fn another(&self, vouched: &BTreeSet<Namespace>) -> Result<Option<String>> {
        let mut known: BTreeMap<Namespace, usize> = BTreeMap::new();
        for name in self.lock().pools.keys().filter(|name| !vouched.contains(&name.namespace)) {
            *known.entry(name.namespace.clone()).or_default() += 1;
        }
        for (namespace, count) in known {
            if self.parts.providers.pools(&namespace).await?.is_empty() {
                return Ok(Some(format!(
                    "the store is back and is not the one that was lost: {count} pools of {namespace} are gone"
                )));
            }
        }
        Ok(None)
    }
}

impl KeptChange {
    /// Has it build on what an earlier one became in the store. Says whether it builds on that one.
    fn build_on(&mut self, given: u64, became: u64) -> bool {
        let mut builds = false;
        let patched = match &mut self.change.change {
            PoolChange::Patch(patch) => patch.expected.as_mut(),
            _ => None,
        };
        for expected in patched.into_iter().chain(self.change.expected.as_mut()) {
            if *expected == given {
                *expected = became;
                builds = true;
            }
        }
        builds
    }
}

/// The same, whatever the pool is.
fn unconditional(change: ChangePool) -> ChangePool {
    let kind = match change.change {
        PoolChange::Patch(patch) => PoolChange::Patch(PatchProvider { expected: None, ..patch }),
        other => other,
    };
    ChangePool { change: kind, expected: None, ..change }
}

fn is_as(change: &PoolChange, pool: Option<&PoolRecord>) -> bool {
    let Some(pool) = pool else { return matches!(change, PoolChange::Drop | PoolChange::Remove(_)) };
    let find =
        |id: &ProviderId| pool.providers.iter().find(|provider| provider.id == *id).map(|provider| &provider.settings);
    match change {
        PoolChange::Drop => false,
        PoolChange::Remove(id) => find(id).is_none(),
        PoolChange::Settings(settings) => pool.settings == *settings,
        PoolChange::Patch(patch) => {
            find(&patch.id).is_some_and(|found| found.body == patch.body && found.traits == patch.traits)
        }
        PoolChange::Add(seeded) => {
            find(&seeded.id).is_some_and(|found| found.body == seeded.body && found.traits == seeded.traits)
        }
        PoolChange::Replace(replace) => {
            pool.settings == replace.settings
                && pool.providers.len() == replace.providers.len()
                && replace.providers.iter().zip(&pool.providers).all(|(wanted, found)| {
                    wanted.id == found.id
                        && wanted.body == found.settings.body
                        && wanted.traits == found.settings.traits
                })
        }
    }
}
