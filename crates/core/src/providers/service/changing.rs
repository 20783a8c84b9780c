//! Changing who is in a pool, and settings.

use super::preparing::{Prepared, measure, members};
use super::{InPool, ProviderService, named};
use crate::error::{Error, Result};
use crate::jsontext::merge_patch;
use crate::providers::port::{ChangePool, PatchProvider, PoolChange, PoolOutcome, ReplacePool, SeededProvider};
use crate::providers::records::{Counters, Health, PoolName, PoolRecord, ProviderRecord, ProviderSettings};
use crate::providers::refusals::{conflict, contended, exists, full, no_pool, no_provider, too_many_pools};
use crate::providers::settings::{check_pool, disabling};
use crate::secrets::members::masked;
use crate::{Caller, Scope};
use mainstay_api::RawJson;
use mainstay_api::ids::RequestId;
use mainstay_api::providers::{
    AddProvider, MAX_COUNT, MAX_FAILURE_BYTES, MAX_SETTINGS_BYTES, Pool, PoolType, Provider, ProviderCounters,
    ProviderHealth, ProviderId, PutPool, PutProvider,
};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};

/// How often a change is tried again where somebody else was first.
const MAX_ATTEMPTS: u32 = 16;

/// How the settings of a provider are to be changed.
#[derive(Debug, Clone)]
pub enum SettingsChange {
    /// They are replaced, or the provider is added with them.
    Put(RawJson),
    /// They are merged with a patch (RFC 7396); members that it does not name keep their text.
    Patch(RawJson),
    /// The provider is left out of every choice, or may be chosen again.
    Disable(bool),
}

impl ProviderService {
    /// Writes a pool: its settings, or who is in it, or both, in one step. What the call does not name stays. A mask where a
    /// secret stands keeps that secret.
    ///
    /// # Errors
    /// `providers.version_conflict`, `providers.full`, `request.too_large`, `request.invalid`, `secrets.key_missing`.
    pub async fn put_pool(
        &self,
        caller: &Caller,
        pool: PoolType,
        (put, expected): (PutPool, Option<u64>),
    ) -> Result<Pool> {
        caller.require(Scope::ProvidersWrite)?;
        let pool = named(caller, pool);
        if put.settings.is_none() && put.providers.is_none() {
            return Err(Error::invalid("body: give `settings`, `providers`, or both"));
        }
        self.change_pool(&pool, expected, |record| {
            let settings = put.settings.clone();
            let settings = settings.or_else(|| record.map(|record| record.settings.clone()));
            let settings = settings.unwrap_or_else(RawJson::empty_object);
            check_settings(&pool, &settings)?;
            let same = record.is_some_and(|record| record.settings == settings);
            match &put.providers {
                Some(providers) => self.replaced(&pool, (settings, same), (providers, record)),
                None => Ok((!same).then_some(PoolChange::Settings(settings))),
            }
        })
        .await?;
        self.view_pool(&pool, false).await
    }

    /// Merges the settings of a pool with a patch (RFC 7396).
    ///
    /// # Errors
    /// `providers.not_found`, `providers.version_conflict`, `request.too_large`, `request.invalid`.
    pub async fn patch_pool(
        &self,
        caller: &Caller,
        pool: PoolType,
        (patch, expected): (RawJson, Option<u64>),
    ) -> Result<Pool> {
        caller.require(Scope::ProvidersWrite)?;
        let pool = named(caller, pool);
        self.change_pool(&pool, expected, |record| {
            let record = record.ok_or_else(|| no_pool(&pool))?;
            let settings = merge_patch(&record.settings, &patch)?;
            check_settings(&pool, &settings)?;
            Ok((record.settings != settings).then_some(PoolChange::Settings(settings)))
        })
        .await?;
        self.view_pool(&pool, false).await
    }

    /// Removes a pool with its providers, their counters and their credentials.
    ///
    /// # Errors
    /// `providers.not_found`, `providers.version_conflict`.
    pub async fn drop_pool(&self, caller: &Caller, pool: PoolType, expected: Option<u64>) -> Result<()> {
        caller.require(Scope::ProvidersWrite)?;
        let pool = named(caller, pool);
        match self.store.change(self.change(&pool, PoolChange::Drop, expected)).await? {
            PoolOutcome::Changed(revision) => {
                tracing::info!(pool = %pool.pool, revision, by = %caller.principal, "a pool was removed");
                Ok(())
            }
            PoolOutcome::Conflict { current: 0 } | PoolOutcome::NotFound => Err(no_pool(&pool)),
            PoolOutcome::Conflict { current } => Err(conflict(&format!("the pool {}", pool.pool), current)),
            PoolOutcome::Exists | PoolOutcome::Full => Err(Error::bug("removing a pool needs no room")),
        }
    }

    /// Adds a provider at the end of its pool, which is made where there is none. A repetition with the same request id, or the
    /// same id and settings, answers with what stands.
    ///
    /// # Errors
    /// `providers.exists`, `providers.full`, `request.too_large`, `request.invalid`, `secrets.key_missing`.
    pub async fn add(
        &self,
        caller: &Caller,
        pool: PoolType,
        (add, request): (AddProvider, Option<RequestId>),
    ) -> Result<Provider> {
        caller.require(Scope::ProvidersWrite)?;
        let pool = named(caller, pool);
        let id = add.id.map_or_else(|| self.made_id(caller, &pool, request), Ok)?;
        for _ in 0..MAX_ATTEMPTS {
            let found = self.store.provider(&pool, &id, self.clock.now()).await?;
            let before = found.as_ref().map(|record| &record.settings);
            let prepared = self.prepare(&pool, &id, (&add.settings, before))?;
            match found {
                Some(record) if prepared.same => return self.to_provider(&pool, record, false),
                Some(_) => return Err(exists(&pool, &id)),
                None => {}
            }
            if self.enter(&pool, seeded(id.clone(), prepared)).await? {
                tracing::info!(pool = %pool.pool, provider = %id, by = %caller.principal, "a provider was added");
                return self.view(&pool, &id).await;
            }
        }
        Err(contended(&pool))
    }

    /// Changes the settings of a provider, and nothing else of it. A version that is named is the one that is replaced, 0 where there
    /// is to be none; where the settings say already what they are to say, it does not matter. Without one, a change that another
    /// one overtook is made again on what stands then.
    ///
    /// # Errors
    /// `providers.not_found`, `providers.version_conflict`, `providers.full`, `request.too_large`, `request.invalid`,
    /// `secrets.key_missing`.
    pub async fn set(
        &self,
        caller: &Caller,
        which: InPool,
        (change, expected): (SettingsChange, Option<u64>),
    ) -> Result<Provider> {
        caller.require(Scope::ProvidersWrite)?;
        let (pool, id) = (named(caller, which.pool), which.provider);
        for _ in 0..MAX_ATTEMPTS {
            let found = self.store.provider(&pool, &id, self.clock.now()).await?;
            let before = found.as_ref().map(|record| &record.settings);
            let current = before.map_or(0, |settings| settings.version);
            let text = settings_after(&change, before)?.ok_or_else(|| no_provider(&pool, &id))?;
            let prepared = self.prepare(&pool, &id, (&text, before))?;
            if prepared.same
                && let Some(record) = found
            {
                return self.to_provider(&pool, record, false);
            }
            if expected.is_some_and(|expected| expected != current) {
                return Err(conflict(&format!("the provider {id} of the pool {}", pool.pool), current));
            }
            let changed = match found {
                Some(_) => self.patched(&pool, patch_of(id.clone(), prepared, current)).await?,
                None => self.enter(&pool, seeded(id.clone(), prepared)).await?,
            };
            if changed {
                tracing::info!(pool = %pool.pool, provider = %id, by = %caller.principal, "a provider was changed");
                return self.view(&pool, &id).await;
            }
        }
        Err(contended(&pool))
    }

    /// Removes a provider with its counters and its credential. Requests that are with it end as they would have.
    ///
    /// # Errors
    /// `providers.not_found`.
    pub async fn remove(&self, caller: &Caller, which: InPool) -> Result<()> {
        caller.require(Scope::ProvidersWrite)?;
        let (pool, id) = (named(caller, which.pool), which.provider);
        match self.store.change(self.change(&pool, PoolChange::Remove(id.clone()), None)).await? {
            PoolOutcome::Changed(_) => {
                tracing::info!(pool = %pool.pool, provider = %id, by = %caller.principal, "a provider was removed");
                Ok(())
            }
            _ => Err(no_provider(&pool, &id)),
        }
    }

    /// Makes a change of a pool on what stands, again where another one overtook it. A revision that is named is the one that is
    /// replaced; where there is nothing to change, it does not matter.
    async fn change_pool(
        &self,
        pool: &PoolName,
        expected: Option<u64>,
        make: impl Fn(Option<&PoolRecord>) -> Result<Option<PoolChange>>,
    ) -> Result<()> {
        for _ in 0..MAX_ATTEMPTS {
            let found = self.store.pool(pool, self.clock.now()).await?;
            let current = found.as_ref().map_or(0, |record| record.revision);
            let Some(change) = make(found.as_ref())? else { return Ok(()) };
            if expected.is_some_and(|expected| expected != current) {
                return Err(conflict(&format!("the pool {}", pool.pool), current));
            }
            if found.is_none() {
                self.has_room(pool).await?;
            }
            match self.store.change(self.change(pool, change, Some(current))).await? {
                PoolOutcome::Changed(revision) => {
                    tracing::info!(pool = %pool.pool, revision, "a pool was changed");
                    return Ok(());
                }
                PoolOutcome::Full => return Err(full(pool, self.rules.max_providers)),
                PoolOutcome::Conflict { .. } | PoolOutcome::NotFound | PoolOutcome::Exists => {}
            }
        }
        Err(contended(pool))
    }

    /// The pool as it is to be, with what stands of those who stay; absent where it is so.
    fn replaced(
        &self,
        pool: &PoolName,
        (settings, mut same): (RawJson, bool),
        (providers, record): (&[PutProvider], Option<&PoolRecord>),
    ) -> Result<Option<PoolChange>> {
        let mut ids = HashSet::new();
        if let Some(twice) = providers.iter().find(|provider| !ids.insert(&provider.id)) {
            return Err(Error::invalid(format!("providers: {} is named twice", twice.id)));
        }
        let stand: &[ProviderRecord] = record.map_or(&[], |record| &record.providers);
        same &= stand.iter().map(|known| &known.id).eq(providers.iter().map(|provider| &provider.id));
        let known: HashMap<_, _> = stand.iter().map(|known| (&known.id, &known.settings)).collect();
        let providers = providers.iter().map(|provider| {
            let before = known.get(&provider.id).copied();
            let prepared = self.prepare(pool, &provider.id, (&provider.settings, before))?;
            same &= prepared.same && provider.set_health.is_none() && provider.set_counters.is_none();
            Ok(SeededProvider {
                health: provider.set_health.clone().map(|health| health_of(&provider.id, health)).transpose()?,
                counters: provider.set_counters.as_ref().map(|set| counters_of(&provider.id, set)).transpose()?,
                ..seeded(provider.id.clone(), prepared)
            })
        });
        let providers = providers.collect::<Result<_>>()?;
        Ok((!same).then_some(PoolChange::Replace(ReplacePool { settings, providers })))
    }

    /// Adds a provider. False where somebody else was first.
    async fn enter(&self, pool: &PoolName, seeded: SeededProvider) -> Result<bool> {
        if self.store.pool(pool, self.clock.now()).await?.is_none() {
            self.has_room(pool).await?;
        }
        match self.store.change(self.change(pool, PoolChange::Add(seeded), None)).await? {
            PoolOutcome::Changed(_) => Ok(true),
            PoolOutcome::Full => Err(full(pool, self.rules.max_providers)),
            PoolOutcome::Exists | PoolOutcome::NotFound | PoolOutcome::Conflict { .. } => Ok(false),
        }
    }

    /// Replaces settings of a provider. False where somebody else was first.
    async fn patched(&self, pool: &PoolName, patch: PatchProvider) -> Result<bool> {
        let outcome = self.store.change(self.change(pool, PoolChange::Patch(patch), None)).await?;
        Ok(matches!(outcome, PoolOutcome::Changed(_)))
    }

    async fn has_room(&self, pool: &PoolName) -> Result<()> {
        let pools = self.store.pools(&pool.namespace).await?;
        if pools.len() >= self.rules.max_pools as usize { Err(too_many_pools()) } else { Ok(()) }
    }

    fn change(&self, pool: &PoolName, change: PoolChange, expected: Option<u64>) -> ChangePool {
        let (pool, max_providers) = (pool.clone(), self.rules.max_providers);
        ChangePool { pool, change, expected, max_providers, now: self.clock.now() }
    }

    async fn view(&self, pool: &PoolName, id: &ProviderId) -> Result<Provider> {
        let found = self.store.provider(pool, id, self.clock.now()).await?;
        self.to_provider(pool, found.ok_or_else(|| no_provider(pool, id))?, false)
    }

    /// The id of a provider that comes without one: the same for a repetition of the same request.
    fn made_id(&self, caller: &Caller, pool: &PoolName, request: Option<RequestId>) -> Result<ProviderId> {
        let bytes = match request {
            None => self.mint.secret(),
            Some(request) => {
                let named = format!("{} {} {} {request}", caller.principal, pool.pool, pool.namespace);
                Sha256::digest(named).into()
            }
        };
        let mut first = [0; 16];
        first.copy_from_slice(&bytes[..16]);
        let id = uuid::Builder::from_random_bytes(first).into_uuid();
        ProviderId::parse(id.to_string()).map_err(|e| Error::bug(e.to_string()))
    }
}

fn check_settings(pool: &PoolName, settings: &RawJson) -> Result<()> {
    measure(&format!("the pool {}", pool.pool), settings, MAX_SETTINGS_BYTES)?;
    check_pool(settings)
}

/// The text that settings are to have; absent where there is nothing to change.
fn settings_after(change: &SettingsChange, before: Option<&ProviderSettings>) -> Result<Option<RawJson>> {
    let patch = match (change, before) {
        (SettingsChange::Put(text), _) => return Ok(Some(text.clone())),
        (_, None) => return Ok(None),
        (SettingsChange::Patch(patch), Some(_)) => patch.clone(),
        (SettingsChange::Disable(disabled), Some(before)) => {
            RawJson::of(&disabling(&members(&before.body)?, *disabled))
                .map_err(|e| Error::bug(format!("a patch is no JSON: {e}")))?
        }
    };
    before.map(|before| merge_patch(&masked(&before.body)?, &patch)).transpose()
}

fn seeded(id: ProviderId, prepared: Prepared) -> SeededProvider {
    let Prepared { body, traits, seal_key, .. } = prepared;
    SeededProvider { id, body, traits, seal_key, health: None, counters: None }
}

fn patch_of(id: ProviderId, prepared: Prepared, version: u64) -> PatchProvider {
    let Prepared { body, traits, seal_key, .. } = prepared;
    PatchProvider { id, body, traits, seal_key, expected: Some(version) }
}

fn health_of(id: &ProviderId, set: ProviderHealth) -> Result<Health> {
    let failure = set.failure.unwrap_or_default();
    if failure.len() > MAX_FAILURE_BYTES {
        return Err(Error::invalid(format!(
            "provider {id}: the words of its failure have more than {MAX_FAILURE_BYTES} bytes"
        )));
    }
    Ok(Health {
        unhealthy: !set.healthy,
        failures: set.failures,
        last_failure: set.failed_at.map(|at| (at, failure)),
        retry_at: set.retry_at,
        needs_refresh: set.needs_refresh,
        checked: set.checked_at.map(|at| (at, set.checked_model)),
    })
}

fn counters_of(id: &ProviderId, set: &ProviderCounters) -> Result<Counters> {
    if [set.requests, set.errors, set.refreshes, set.sequence].into_iter().any(|count| count > MAX_COUNT) {
        return Err(Error::invalid(format!("provider {id}: a counter is above {MAX_COUNT}")));
    }
    Ok(Counters {
        requests: set.requests,
        errors: set.errors,
        refreshes: set.refreshes,
        used_at: set.used_at,
        failed_at: set.failed_at,
        sequence: set.sequence,
    })
}
