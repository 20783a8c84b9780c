//! Pools of providers that outlast an outage of their store.

mod choosing;
mod counting;
mod refreshing;
mod replaying;
mod store;

pub(super) use replaying::Brought;

use super::{JournalBounds, Journaled, NewEntry, Outage, POOL_CHANGES, age_ms, journal_full, noting};
use crate::error::{Error, Result};
use crate::providers::credentials::{CredentialRecord, CredentialStore};
use crate::providers::pool::Pool;
use crate::providers::{AddCounts, ChangePool, CountsOf, PoolChange, PoolName, PoolOutcome, ProviderStore};
use crate::{Clock, Mint};
use mainstay_api::providers::{LeaseId, ProviderId};
use mainstay_api::{Namespace, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Namespaces whose pools are copied: those that were used last.
const MAX_NAMESPACES: usize = 256;

/// What pools need.
pub(super) struct PoolParts {
    pub providers: Arc<dyn ProviderStore>,
    pub credentials: Arc<dyn CredentialStore>,
    pub outage: Arc<Outage>,
    pub clock: Arc<dyn Clock>,
    pub mint: Arc<dyn Mint>,
}

/// Pools in a store that may go away. While it is there, everything goes to it, and copies are kept. While it is not, providers
/// are chosen and judged on the copy, by the same rules, for this node alone; what is counted is joined and brought to the store
/// afterwards. Changes of pools wait in the journal.
pub struct OutlastingProviders {
    parts: PoolParts,
    state: Mutex<State>,
    /// Whether the journal had no room for counts: nothing is chosen then that could not be counted.
    is_full: AtomicBool,
}

#[derive(Default)]
struct State {
    /// Namespaces that were used, and whether their pools are known.
    namespaces: BTreeMap<Namespace, Known>,
    pools: BTreeMap<PoolName, PoolCopy>,
    /// Uses of providers that this node chose itself.
    uses: HashMap<LeaseId, Used>,
    /// What was counted and is not written down yet.
    counted: BTreeMap<PoolName, BTreeMap<ProviderId, CountsOf>>,
    /// The entry of the journal that counts of a pool are joined into.
    open: BTreeMap<PoolName, (u64, AddCounts)>,
}

#[derive(Default)]
struct Known {
    used_at: Option<Timestamp>,
    /// Whether all pools are copied.
    is_copied: bool,
}

/// The last known copy of a pool.
#[derive(Debug, Clone)]
struct PoolCopy {
    pool: Pool,
    /// When the store was last known to be so.
    fresh_at: Timestamp,
    /// When counters and health were read.
    read_at: Timestamp,
    /// When it was written to the disk.
    written_at: Option<Timestamp>,
    credentials: BTreeMap<ProviderId, CredentialRecord>,
    sessions: HashMap<String, (ProviderId, Timestamp)>,
}

/// A use that this node gave by itself.
#[derive(Debug, Clone)]
struct Used {
    pool: PoolName,
    provider: ProviderId,
    ends_at: Timestamp,
}

/// A change that waits.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct KeptChange {
    /// What was asked, with the version that it replaces.
    change: ChangePool,
    /// The revision that it was given, which is that of the store where nobody else changed the pool meanwhile.
    revision: u64,
    /// Whether the store may have made it before it was lost.
    in_doubt: bool,
}

impl OutlastingProviders {
    pub(super) fn new(parts: PoolParts) -> Self {
        Self { parts, state: Mutex::default(), is_full: AtomicBool::new(false) }
    }

    pub(super) fn has_copies(&self) -> bool {
        !self.lock().pools.is_empty()
    }

    /// Remembers that a namespace is in use.
    fn know(&self, namespace: &Namespace) {
        let now = Some(self.parts.clock.now());
        let mut state = self.lock();
        if let Some(known) = state.namespaces.get_mut(namespace) {
            known.used_at = now;
            return;
        }
        if state.namespaces.len() >= MAX_NAMESPACES {
            let oldest = state.namespaces.iter().min_by_key(|(_, known)| known.used_at).map(|(name, _)| name.clone());
            if let Some(oldest) = oldest {
                state.namespaces.remove(&oldest);
                state.pools.retain(|name, _| name.namespace != oldest);
            }
        }
        state.namespaces.insert(namespace.clone(), Known { used_at: now, is_copied: false });
    }

    fn is_connected(&self) -> bool {
        self.parts.outage.standing.is_connected()
    }

    fn lost(&self, error: &Error) {
        self.parts.outage.lost(error, self.parts.clock.now());
    }

    /// Reads the copy of a pool; says so. Absent where its namespace is not copied.
    fn copied<T>(&self, name: &PoolName, read: impl FnOnce(Option<&mut PoolCopy>) -> T) -> Option<T> {
        let now = self.parts.clock.now();
        let mut state = self.lock();
        if !state.namespaces.get(&name.namespace).is_some_and(|known| known.is_copied) {
            return None;
        }
        let copy = state.pools.get_mut(name);
        noting::stale(copy.as_ref().map_or(0, |copy| age_ms(copy.fresh_at, now)));
        Some(read(copy))
    }

    /// Keeps a change that cannot be brought to the store now.
    async fn keep(&self, change: ChangePool, in_doubt: bool) -> Result<PoolOutcome> {
        let outage = &self.parts.outage;
        let _order = outage.order.lock().await;
        let name = change.pool.clone();
        let request = format!("{} {} {}", name.namespace, name.pool, change.digest());
        let Some(pool) = self.copied(&name, |copy| copy.map(|copy| copy.pool.clone())) else {
            return Err(outage.away());
        };
        let change = pinned(change, pool.as_ref());
        let changed = change.apply(pool);
        let PoolOutcome::Changed(revision) = changed.outcome else {
            return Ok(self.repeated(request).await?.unwrap_or(changed.outcome));
        };
        let subject = format!("{} {} {}", name.namespace, name.pool, verb(&change.change));
        let kept = KeptChange { change, revision, in_doubt };
        let body = serde_json::to_string(&kept)
            .map_err(|e| Error::bug(format!("a change of a pool cannot be written down: {e}")))?;
        let at = self.parts.clock.now();
        let entry = NewEntry { kind: POOL_CHANGES.into(), request, subject, body, by: String::new(), at };
        match outage.journal.append(entry, outage.bounds).await? {
            Journaled::Kept(seq) => {
                noting::kept(seq);
                self.take_over(&name, changed.pool);
                tracing::info!(seq, pool = %name.pool, "the store is away: a change of a pool is kept in the journal");
                Ok(PoolOutcome::Changed(revision))
            }
            Journaled::Known(entry) => Ok(PoolOutcome::Changed(read_kept(&entry.write.body)?.revision)),
            Journaled::Full(held) => Err(journal_full(&held)),
        }
    }

    /// The answer to a change that waits already.
    async fn repeated(&self, request: String) -> Result<Option<PoolOutcome>> {
        let none = JournalBounds { max_entries: 0, max_bytes: 0 };
        let (kind, at) = (POOL_CHANGES.into(), self.parts.clock.now());
        let entry = NewEntry { kind, request, subject: String::new(), body: String::new(), by: String::new(), at };
        match self.parts.outage.journal.append(entry, none).await? {
            Journaled::Known(found) => Ok(Some(PoolOutcome::Changed(read_kept(&found.write.body)?.revision))),
            Journaled::Kept(_) | Journaled::Full(_) => Ok(None),
        }
    }

    /// A pool is another one from now on, or there is none any more.
    fn take_over(&self, name: &PoolName, pool: Option<Pool>) {
        let now = self.parts.clock.now();
        let mut state = self.lock();
        match (pool, state.pools.get_mut(name)) {
            (Some(pool), Some(copy)) => copy.pool = pool,
            (Some(pool), None) => drop(state.pools.insert(name.clone(), PoolCopy::new(pool, now))),
            (None, _) => drop(state.pools.remove(name)),
        }
    }

    /// Applies a change that waits to the copy.
    pub(super) fn apply(&self, body: &str) -> Result<()> {
        let kept = read_kept(body)?;
        let name = kept.change.pool.clone();
        let pool = self.lock().pools.get(&name).map(|copy| copy.pool.clone());
        let changed = kept.change.apply(pool);
        if matches!(changed.outcome, PoolOutcome::Changed(_)) {
            self.take_over(&name, changed.pool);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PoolCopy {
    fn new(pool: Pool, now: Timestamp) -> Self {
        Self {
            pool,
            fresh_at: now,
            read_at: now,
            written_at: None,
            credentials: BTreeMap::new(),
            sessions: HashMap::new(),
        }
    }
}

/// The change of what stands in the copy, and of nothing else: where somebody else changed it meanwhile, it is a conflict.
fn pinned(mut change: ChangePool, pool: Option<&Pool>) -> ChangePool {
    match &mut change.change {
        PoolChange::Patch(patch) => {
            let version = pool.and_then(|pool| pool.find(&patch.id)).map(|member| member.settings.version);
            patch.expected = patch.expected.or(version);
        }
        // A provider that is there is recognised by itself.
        PoolChange::Add(_) => {}
        PoolChange::Replace(_) | PoolChange::Settings(_) | PoolChange::Remove(_) | PoolChange::Drop => {
            change.expected = change.expected.or(Some(pool.map_or(0, |pool| pool.revision)));
        }
    }
    change
}

/// What a change does, for people.
fn verb(change: &PoolChange) -> String {
    match change {
        PoolChange::Replace(replace) => format!("replaced by {} providers", replace.providers.len()),
        PoolChange::Settings(_) => "settings".into(),
        PoolChange::Add(seeded) => format!("+{}", seeded.id),
        PoolChange::Patch(patch) => patch.id.to_string(),
        PoolChange::Remove(id) => format!("-{id}"),
        PoolChange::Drop => "removed".into(),
    }
}

fn read_kept(body: &str) -> Result<KeptChange> {
    serde_json::from_str(body).map_err(|e| Error::inconsistent(format!("an entry of the journal cannot be read: {e}")))
}
