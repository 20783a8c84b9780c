//! Pools of providers on the model: the rules of `mainstay_core::providers::pool`, one lock around all pools.

use super::wakeups::Wakeups;
use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::api::providers::ProviderId;
use mainstay_core::api::{Namespace, Timestamp};
use mainstay_core::providers::pool::{Judged, Pool};
use mainstay_core::providers::{
    AddCounts, BreakerState, ChangePool, CheckClaim, Checked, Choice, Choose, ClaimCheck, FinishUses, Finished,
    PoolName, PoolOutcome, PoolRecord, PoolSummary, ProviderRecord, ProviderSettings, ProviderStore, Renew,
    ResealSettings, ResetProviders, StandBreaker,
};
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Changes of a pool that are remembered.
const MEMOS: usize = 64;

/// Pools in memory.
pub(super) struct ModelProviders {
    pools: Mutex<HashMap<PoolName, Entry>>,
    wakeups: Arc<Wakeups>,
}

/// A pool, where there is one, and what outlives it.
#[derive(Default)]
struct Entry {
    pool: Option<Pool>,
    memos: VecDeque<(String, u64)>,
    counted: HashSet<String>,
    sessions: HashMap<String, (ProviderId, Timestamp)>,
}

impl ModelProviders {
    pub fn new(wakeups: Arc<Wakeups>) -> Self {
        Self { pools: Mutex::default(), wakeups }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PoolName, Entry>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a step in a pool; nothing where there is none.
    fn within<T>(&self, name: &PoolName, step: impl FnOnce(&mut Pool) -> T) -> Option<T> {
        self.lock().get_mut(name).and_then(|entry| entry.pool.as_mut()).map(step)
    }

    /// Which settings are sealed with which keys.
    fn seals(&self) -> Vec<(PoolName, ProviderId, String)> {
        let pools = self.lock();
        let pools = pools.iter().filter_map(|(name, entry)| Some((name, entry.pool.as_ref()?)));
        let members = pools.flat_map(|(name, pool)| pool.providers.iter().map(move |member| (name, member)));
        members
            .filter_map(|(name, member)| Some((name.clone(), member.id.clone(), member.settings.seal_key.clone()?)))
            .collect()
    }

    fn told(&self, name: &PoolName, judged: Option<Judged>) -> Finished {
        let judged = judged.unwrap_or_default();
        if judged.wakes {
            self.wakeups.pool(name);
        }
        judged.finished
    }
}

#[async_trait]
impl ProviderStore for ModelProviders {
    async fn pools(&self, namespace: &Namespace) -> Result<Vec<PoolSummary>> {
        let pools = self.lock();
        let mine = pools.iter().filter(|(name, _)| name.namespace == *namespace);
        let mut summaries: Vec<PoolSummary> = mine
            .filter_map(|(name, entry)| {
                let pool = entry.pool.as_ref()?;
                let providers = u32::try_from(pool.providers.len()).unwrap_or(u32::MAX);
                Some(PoolSummary { pool: name.pool.clone(), revision: pool.revision, providers })
            })
            .collect();
        summaries.sort_by(|a, b| a.pool.as_str().cmp(b.pool.as_str()));
        Ok(summaries)
    }

    async fn everywhere(&self, after: Option<&PoolName>, limit: u32) -> Result<Vec<PoolName>> {
        let pools = self.lock();
        let there = pools.iter().filter(|(_, entry)| entry.pool.is_some()).map(|(name, _)| name.clone());
        Ok(PoolName::page(there.collect(), after, limit))
    }

    async fn pool(&self, name: &PoolName, now: Timestamp) -> Result<Option<PoolRecord>> {
        Ok(self.within(name, |pool| pool.record(now)))
    }

    async fn provider(&self, name: &PoolName, id: &ProviderId, now: Timestamp) -> Result<Option<ProviderRecord>> {
        Ok(self.within(name, |pool| pool.provider(id, now)).flatten())
    }

    async fn change(&self, change: ChangePool) -> Result<PoolOutcome> {
        let mut pools = self.lock();
        let entry = pools.entry(change.pool.clone()).or_default();
        let digest = change.digest();
        if let Some((_, revision)) = entry.memos.iter().find(|(known, _)| *known == digest) {
            return Ok(PoolOutcome::Changed(*revision));
        }
        let changed = change.apply(entry.pool.take());
        entry.pool = changed.pool;
        if let PoolOutcome::Changed(revision) = changed.outcome {
            entry.memos.push_front((digest, revision));
            entry.memos.truncate(MEMOS);
            self.wakeups.pool(&change.pool);
        }
        Ok(changed.outcome)
    }

    async fn choose(&self, choose: Choose) -> Result<Choice> {
        let mut pools = self.lock();
        let Some(entry) = pools.get_mut(&choose.pool) else { return Ok(Choice::NoPool) };
        let Some(pool) = entry.pool.as_mut() else { return Ok(Choice::NoPool) };
        let session = choose.sticky.as_ref().and_then(|sticky| entry.sessions.get(&sticky.key));
        let remembered = session.filter(|(_, until)| *until > choose.now).map(|(id, _)| id.clone());
        let choice = pool.choose(&choose, remembered.as_ref());
        if let (Some(sticky), Choice::Chosen(chosen)) = (&choose.sticky, &choice) {
            let until = choose.now.after(sticky.ttl);
            entry.sessions.insert(sticky.key.clone(), (chosen.provider.clone(), until));
        }
        Ok(choice)
    }

    async fn renew(&self, renew: Renew) -> Result<()> {
        self.within(&renew.pool, |pool| pool.renew(&renew));
        Ok(())
    }

    async fn finish(&self, uses: FinishUses) -> Result<Finished> {
        Ok(self.told(&uses.pool, self.within(&uses.pool, |pool| pool.finish(&uses))))
    }

    async fn claim_check(&self, claim: ClaimCheck) -> Result<CheckClaim> {
        let claimed = self.within(&claim.pool, |pool| pool.claim_check(&claim));
        Ok(claimed.unwrap_or(CheckClaim::NotFound))
    }

    async fn checked(&self, check: Checked) -> Result<Finished> {
        Ok(self.told(&check.pool, self.within(&check.pool, |pool| pool.check(&check))))
    }

    async fn reset(&self, reset: ResetProviders) -> Result<u32> {
        let count = self.within(&reset.pool, |pool| pool.reset(&reset)).unwrap_or(0);
        if count > 0 {
            self.wakeups.pool(&reset.pool);
        }
        Ok(count)
    }

    async fn stand(&self, stand: StandBreaker) -> Result<Option<BreakerState>> {
        let was = self.within(&stand.pool, |pool| pool.stand(&stand)).flatten();
        if was.is_some() {
            self.wakeups.pool(&stand.pool);
        }
        Ok(was)
    }

    async fn add_counts(&self, add: AddCounts) -> Result<bool> {
        let mut pools = self.lock();
        let Some(entry) = pools.get_mut(&add.pool) else { return Ok(false) };
        let Some(pool) = entry.pool.as_mut() else { return Ok(false) };
        if entry.counted.insert(add.memo.clone()) {
            pool.add_counts(&add);
        }
        Ok(true)
    }

    async fn settings_seal_keys(&self) -> Result<Vec<String>> {
        Ok(self.seals().into_iter().map(|(_, _, key)| key).collect::<BTreeSet<_>>().into_iter().collect())
    }

    async fn settings_not_sealed_with(&self, key: &str, limit: u32) -> Result<Vec<(PoolName, ProviderId)>> {
        let others = self.seals().into_iter().filter(|(_, _, used)| used != key);
        Ok(others.map(|(name, id, _)| (name, id)).take(limit as usize).collect())
    }

    async fn reseal_settings(&self, reseal: ResealSettings) -> Result<bool> {
        let ResealSettings { provider, version, body, seal_key, .. } = reseal;
        let step = |pool: &mut Pool| {
            let found = pool.providers.iter_mut().find(|member| member.id == provider);
            let Some(member) = found.filter(|member| member.settings.version == version) else { return false };
            member.settings =
                Arc::new(ProviderSettings { body, seal_key, ..ProviderSettings::clone(&member.settings) });
            true
        };
        Ok(self.within(&reseal.pool, step).unwrap_or(false))
    }
}
