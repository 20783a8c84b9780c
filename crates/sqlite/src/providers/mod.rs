//! Pools of providers on SQLite: a step loads the pool, follows the rules of [`mainstay_core::providers::pool`], and writes what
//! changed, all in the transaction of the writer.

mod changing;
mod loading;
mod saving;
mod seals;
mod steps;

use crate::store::Store;
use async_trait::async_trait;
use mainstay_core::api::providers::ProviderId;
use mainstay_core::api::{Namespace, Timestamp};
use mainstay_core::providers::{
    AddCounts, BreakerState, ChangePool, CheckClaim, Checked, Choice, Choose, ClaimCheck, FinishUses, Finished,
    PoolName, PoolOutcome, PoolRecord, PoolSummary, ProviderRecord, ProviderStore, Renew, ResealSettings,
    ResetProviders, StandBreaker,
};
use mainstay_core::{Result, Topic};
use std::sync::Arc;

/// Pools in a store.
pub(crate) struct SqliteProviders {
    store: Arc<Store>,
}

impl SqliteProviders {
    /// The pools of a store.
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }
}

/// What readers of a pool wait for.
pub(crate) fn topic(pool: &PoolName) -> Topic {
    Topic::Pool(pool.namespace.clone(), pool.pool.clone())
}

#[async_trait]
impl ProviderStore for SqliteProviders {
    async fn pools(&self, namespace: &Namespace) -> Result<Vec<PoolSummary>> {
        let namespace = namespace.clone();
        self.store.read(move |connection| loading::summaries(connection, &namespace)).await
    }

    async fn everywhere(&self, after: Option<&PoolName>, limit: u32) -> Result<Vec<PoolName>> {
        let after = after.cloned();
        self.store.read(move |connection| loading::everywhere(connection, after.as_ref(), limit)).await
    }

    async fn pool(&self, pool: &PoolName, now: Timestamp) -> Result<Option<PoolRecord>> {
        let pool = pool.clone();
        self.store
            .read(move |connection| Ok(loading::load(connection, &pool)?.map(|loaded| loaded.pool.record(now))))
            .await
    }

    async fn provider(&self, pool: &PoolName, id: &ProviderId, now: Timestamp) -> Result<Option<ProviderRecord>> {
        let (pool, id) = (pool.clone(), id.clone());
        self.store
            .read(move |connection| {
                Ok(loading::load(connection, &pool)?.and_then(|loaded| loaded.pool.provider(&id, now)))
            })
            .await
    }

    async fn change(&self, change: ChangePool) -> Result<PoolOutcome> {
        self.store.write(move |connection, wakes| changing::change(connection, &change, wakes)).await
    }

    async fn choose(&self, choose: Choose) -> Result<Choice> {
        self.store.write(move |connection, _| steps::choose(connection, &choose)).await
    }

    async fn renew(&self, renew: Renew) -> Result<()> {
        let step = move |connection: &rusqlite::Connection, _: &mut _| {
            steps::within(connection, &renew.pool, |pool| pool.renew(&renew)).map(|_| ())
        };
        self.store.write(step).await
    }

    async fn finish(&self, uses: FinishUses) -> Result<Finished> {
        self.store
            .write(move |connection, wakes| {
                let judged = steps::within(connection, &uses.pool, |pool| pool.finish(&uses))?;
                Ok(steps::told(&uses.pool, judged, wakes))
            })
            .await
    }

    async fn claim_check(&self, claim: ClaimCheck) -> Result<CheckClaim> {
        let step = move |connection: &rusqlite::Connection, _: &mut _| {
            let claimed = steps::within(connection, &claim.pool, |pool| pool.claim_check(&claim))?;
            Ok(claimed.unwrap_or(CheckClaim::NotFound))
        };
        self.store.write(step).await
    }

    async fn checked(&self, check: Checked) -> Result<Finished> {
        self.store
            .write(move |connection, wakes| {
                let judged = steps::within(connection, &check.pool, |pool| pool.check(&check))?;
                Ok(steps::told(&check.pool, judged, wakes))
            })
            .await
    }

    async fn reset(&self, reset: ResetProviders) -> Result<u32> {
        self.store
            .write(move |connection, wakes| {
                let count = steps::within(connection, &reset.pool, |pool| pool.reset(&reset))?.unwrap_or(0);
                if count > 0 {
                    wakes.topic(topic(&reset.pool));
                }
                Ok(count)
            })
            .await
    }

    async fn stand(&self, stand: StandBreaker) -> Result<Option<BreakerState>> {
        self.store
            .write(move |connection, wakes| {
                let was = steps::within(connection, &stand.pool, |pool| pool.stand(&stand))?.flatten();
                if was.is_some() {
                    wakes.topic(topic(&stand.pool));
                }
                Ok(was)
            })
            .await
    }

    async fn add_counts(&self, add: AddCounts) -> Result<bool> {
        self.store.write(move |connection, _| steps::add_counts(connection, &add)).await
    }

    async fn settings_seal_keys(&self) -> Result<Vec<String>> {
        self.store.read(seals::keys).await
    }

    async fn settings_not_sealed_with(&self, key: &str, limit: u32) -> Result<Vec<(PoolName, ProviderId)>> {
        let key = key.to_owned();
        self.store.read(move |connection| seals::others(connection, &key, limit)).await
    }

    async fn reseal_settings(&self, reseal: ResealSettings) -> Result<bool> {
        self.store.write(move |connection, _| seals::reseal(connection, &reseal)).await
    }
}
