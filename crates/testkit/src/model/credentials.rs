//! Credentials of providers on the model.

use super::wakeups::Wakeups;
use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::api::Timestamp;
use mainstay_core::api::providers::ProviderId;
use mainstay_core::providers::PoolName;
use mainstay_core::providers::credentials::{
    BeginRefresh, Begun, CredentialOutcome, CredentialRecord, CredentialStore, DueCredential, FailRefresh,
    FinishRefresh, ListDue, PutCredential, RefreshEnd, RefreshStanding, ResealCredential,
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Default)]
struct State {
    records: HashMap<(PoolName, ProviderId), CredentialRecord>,
    /// The last version of each pool.
    last: HashMap<PoolName, u64>,
}

/// Credentials in memory: one lock around everything.
pub(super) struct ModelCredentials {
    state: Mutex<State>,
    wakeups: Arc<Wakeups>,
}

impl ModelCredentials {
    pub fn new(wakeups: Arc<Wakeups>) -> Self {
        Self { state: Mutex::default(), wakeups }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn find(&mut self, pool: &PoolName, provider: &ProviderId) -> Option<&mut CredentialRecord> {
        self.records.get_mut(&(pool.clone(), provider.clone()))
    }

    /// Writes a credential where it has the expected version.
    fn put(&mut self, put: PutCredential) -> CredentialOutcome {
        let known = self.find(&put.pool, &put.provider).cloned();
        if let Some(known) = known.as_ref().filter(|known| known.sealed == put.sealed && known.updated_at == put.now) {
            return CredentialOutcome::Stored(known.version);
        }
        let current = known.as_ref().map_or(0, |known| known.version);
        if put.expected.is_some_and(|expected| expected != current) {
            let found = known.map(Box::new);
            return found.map_or(CredentialOutcome::NotFound, CredentialOutcome::Conflict);
        }
        let last = self.last.entry(put.pool.clone()).or_default();
        *last = (*last + 1).max(micros(put.now));
        let version = *last;
        let fence = known.map_or(0, |known| known.refresh.fence);
        let record = CredentialRecord {
            version,
            sealed: put.sealed,
            seal_key: put.seal_key,
            expires_at: put.expires_at,
            refresh_at: put.refresh_at,
            updated_at: put.now,
            refresh: RefreshStanding { fence, ..RefreshStanding::default() },
        };
        self.records.insert((put.pool, put.provider), record);
        CredentialOutcome::Stored(version)
    }
}

fn micros(now: Timestamp) -> u64 {
    now.as_millis().max(0).unsigned_abs() * 1_000
}

/// What a lease that is asked for meets.
fn begin(record: &mut CredentialRecord, begin: BeginRefresh) -> Begun {
    if record.version > begin.seen {
        return Begun::Newer(Box::new(record.clone()));
    }
    let refresh = &mut record.refresh;
    if let Some(until) = refresh.held_until.filter(|until| *until > begin.now) {
        let again = refresh.holder.as_ref() == Some(&begin.holder);
        return if again { Begun::Granted(Box::new(record.clone())) } else { Begun::Held(until) };
    }
    if let Some(reason) = refresh.dead.as_ref().filter(|_| !begin.forced) {
        return Begun::Dead(reason.clone());
    }
    if let Some(until) = refresh.not_before.filter(|until| *until > begin.now && !begin.forced) {
        return Begun::Waiting(until);
    }
    refresh.in_doubt |= refresh.held_until.is_some();
    refresh.fence = (refresh.fence + 1).max(micros(begin.now));
    refresh.held_until = Some(begin.until);
    refresh.holder = Some(begin.holder);
    Begun::Granted(Box::new(record.clone()))
}

/// Ends a lease without a new credential.
fn fail(refresh: &mut RefreshStanding, end: RefreshEnd) {
    refresh.held_until = None;
    match end {
        RefreshEnd::Unused => {}
        RefreshEnd::Transient { until, in_doubt } => {
            refresh.failures += 1;
            refresh.not_before = Some(until);
            refresh.in_doubt |= in_doubt;
        }
        RefreshEnd::Dead(reason) => {
            refresh.failures += 1;
            refresh.dead = Some(reason);
        }
    }
}

#[async_trait]
impl CredentialStore for ModelCredentials {
    async fn credential(&self, pool: &PoolName, provider: &ProviderId) -> Result<Option<CredentialRecord>> {
        Ok(self.lock().find(pool, provider).cloned())
    }

    async fn put_credential(&self, put: PutCredential) -> Result<CredentialOutcome> {
        let pool = put.pool.clone();
        let outcome = self.lock().put(put);
        self.wakeups.pool(&pool);
        Ok(outcome)
    }

    async fn remove_credential(&self, pool: &PoolName, provider: &ProviderId) -> Result<bool> {
        let removed = self.lock().records.remove(&(pool.clone(), provider.clone()));
        self.wakeups.pool(pool);
        Ok(removed.is_some())
    }

    async fn begin_refresh(&self, wanted: BeginRefresh) -> Result<Begun> {
        let mut state = self.lock();
        let record = state.find(&wanted.pool, &wanted.provider);
        Ok(record.map_or(Begun::NotFound, |record| begin(record, wanted)))
    }

    async fn finish_refresh(&self, finish: FinishRefresh) -> Result<CredentialOutcome> {
        let pool = finish.put.pool.clone();
        let outcome = self.lock().put(finish.put);
        self.wakeups.pool(&pool);
        Ok(outcome)
    }

    async fn fail_refresh(&self, failed: FailRefresh) -> Result<bool> {
        let mut state = self.lock();
        let Some(record) = state.find(&failed.pool, &failed.provider) else { return Ok(false) };
        let own = record.version == failed.version
            && record.refresh.fence == failed.fence
            && record.refresh.held_until.is_some();
        if own {
            fail(&mut record.refresh, failed.end);
            drop(state);
            self.wakeups.pool(&failed.pool);
        }
        Ok(own)
    }

    async fn due(&self, list: ListDue) -> Result<Vec<DueCredential>> {
        let state = self.lock();
        let mut due: Vec<DueCredential> = state
            .records
            .iter()
            .filter(|(_, record)| {
                let refresh = &record.refresh;
                let later = |at: Option<Timestamp>| at.is_some_and(|at| at > list.now);
                refresh.dead.is_none() && !later(refresh.held_until) && !later(refresh.not_before)
            })
            .filter_map(|((pool, provider), record)| {
                let refresh_at = record.refresh_at.filter(|at| *at <= list.now)?;
                let (pool, provider) = (pool.clone(), provider.clone());
                Some(DueCredential { pool, provider, version: record.version, refresh_at })
            })
            .collect();
        due.sort_by_key(|due| due.refresh_at);
        due.truncate(list.limit as usize);
        Ok(due)
    }

    async fn credential_seal_keys(&self) -> Result<Vec<String>> {
        let mut keys: Vec<String> = self.lock().records.values().map(|record| record.seal_key.clone()).collect();
        keys.sort();
        keys.dedup();
        Ok(keys)
    }

    async fn credentials_not_sealed_with(&self, key: &str, limit: u32) -> Result<Vec<(PoolName, ProviderId)>> {
        let state = self.lock();
        let others = state.records.iter().filter(|(_, record)| record.seal_key != key).map(|(whose, _)| whose.clone());
        Ok(others.take(limit as usize).collect())
    }

    async fn reseal_credential(&self, reseal: ResealCredential) -> Result<bool> {
        let mut state = self.lock();
        let record = state.find(&reseal.pool, &reseal.provider).filter(|record| record.version == reseal.version);
        let Some(record) = record else { return Ok(false) };
        (record.sealed, record.seal_key) = (reseal.sealed, reseal.seal_key);
        Ok(true)
    }
}
