//! Reading pools.

use super::{InPool, ProviderService, named};
use crate::error::Result;
use crate::providers::records::{
    Breaker, BreakerState, Counters, Health, PoolName, PoolRecord, PoolSummary, ProviderRecord,
};
use crate::providers::refusals::{no_pool, no_provider};
use crate::{Caller, Scope};
use mainstay_api::providers::{
    CircuitState, Pool, PoolEntry, PoolList, PoolType, Provider, ProviderBreaker, ProviderCounters, ProviderHealth,
};

impl ProviderService {
    /// The pools of the namespace, by name.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn pools(&self, caller: &Caller) -> Result<PoolList> {
        caller.require(Scope::ProvidersRead)?;
        let pools = self.store.pools(&caller.namespace).await?;
        Ok(PoolList { pools: pools.into_iter().map(to_entry).collect() })
    }

    /// A pool with its providers, with masks in the place of secrets, or with the secrets where they are asked for.
    ///
    /// # Errors
    /// `providers.not_found`; for secrets, `secrets.key_missing` and `secrets.unreadable`.
    pub async fn pool(&self, caller: &Caller, pool: PoolType, reveal: bool) -> Result<Pool> {
        allow(caller, reveal)?;
        self.view_pool(&named(caller, pool), reveal).await
    }

    /// One provider, with masks in the place of secrets, or with the secrets where they are asked for.
    ///
    /// # Errors
    /// `providers.not_found`; for secrets, `secrets.key_missing` and `secrets.unreadable`.
    pub async fn provider(&self, caller: &Caller, which: InPool, reveal: bool) -> Result<Provider> {
        allow(caller, reveal)?;
        let pool = named(caller, which.pool);
        let found = self.store.provider(&pool, &which.provider, self.clock.now()).await?;
        self.to_provider(&pool, found.ok_or_else(|| no_provider(&pool, &which.provider))?, reveal)
    }

    /// A pool as it is shown.
    pub(super) async fn view_pool(&self, pool: &PoolName, reveal: bool) -> Result<Pool> {
        let found = self.store.pool(pool, self.clock.now()).await?;
        let PoolRecord { revision, settings, providers } = found.ok_or_else(|| no_pool(pool))?;
        let providers = providers.into_iter().map(|record| self.to_provider(pool, record, reveal));
        Ok(Pool { pool: pool.pool.clone(), revision, settings, providers: providers.collect::<Result<_>>()? })
    }

    pub(super) fn to_provider(&self, pool: &PoolName, record: ProviderRecord, reveal: bool) -> Result<Provider> {
        let settings = self.shown((pool, &record.id), &record.settings, reveal)?;
        Ok(Provider {
            pool: pool.pool.clone(),
            id: record.id,
            version: record.settings.version,
            updated_at: record.settings.updated_at,
            disabled: record.settings.traits.disabled,
            settings,
            health: to_health(record.health),
            counters: to_counters(&record.counters),
            breaker: to_breaker(record.breaker),
            in_flight: record.in_flight,
            credential: record.credential,
        })
    }
}

/// Whether the caller may see it.
fn allow(caller: &Caller, reveal: bool) -> Result<()> {
    caller.require(Scope::ProvidersRead)?;
    if reveal { caller.require(Scope::ProvidersSecrets) } else { Ok(()) }
}

fn to_entry(summary: PoolSummary) -> PoolEntry {
    PoolEntry { pool: summary.pool, revision: summary.revision, providers: summary.providers }
}

fn to_health(health: Health) -> ProviderHealth {
    let (failed_at, failure) = health.last_failure.unzip();
    let (checked_at, checked_model) = health.checked.unzip();
    ProviderHealth {
        healthy: !health.unhealthy,
        failures: health.failures,
        failed_at,
        failure,
        retry_at: health.retry_at,
        needs_refresh: health.needs_refresh,
        checked_at,
        checked_model: checked_model.flatten(),
    }
}

fn to_counters(counters: &Counters) -> ProviderCounters {
    ProviderCounters {
        requests: counters.requests,
        errors: counters.errors,
        refreshes: counters.refreshes,
        used_at: counters.used_at,
        failed_at: counters.failed_at,
        sequence: counters.sequence,
    }
}

fn to_breaker(breaker: Breaker) -> ProviderBreaker {
    let state = match breaker.state {
        BreakerState::Closed => CircuitState::Closed,
        BreakerState::Open => CircuitState::Open,
        BreakerState::HalfOpen => CircuitState::HalfOpen,
        BreakerState::ForcedOpen => CircuitState::ForcedOpen,
    };
    ProviderBreaker { state, reason: breaker.reason, since: breaker.since, probe_at: breaker.probe_at }
}
