//! The rules of pools: who may see and change them, what settings may say, and that their secrets are sealed.

mod changing;
mod keeping;
mod preparing;
mod standing;
mod viewing;

pub use changing::SettingsChange;

use super::port::ProviderStore;
use super::records::PoolName;
use super::watch::CircuitWatch;
use crate::secrets::KeyRing;
use crate::secrets::members::{Marks, Sealing};
use crate::{Caller, Clock, Mint};
use mainstay_api::providers::{MAX_POOLS, MAX_PROVIDERS, PoolType, ProviderId};
use std::sync::Arc;

/// What is configured about pools.
#[derive(Debug, Clone)]
pub struct ProviderRules {
    /// Most providers in a pool.
    pub max_providers: u32,
    /// Most pools in a namespace. Pools that are made at the same moment may exceed it by one each.
    pub max_pools: u32,
    /// Keys that secrets are sealed with; without, no settings with a secret are taken.
    pub ring: Option<KeyRing>,
}

impl Default for ProviderRules {
    fn default() -> Self {
        Self { max_providers: MAX_PROVIDERS, max_pools: MAX_POOLS, ring: None }
    }
}

/// What pools need.
pub struct ProviderParts {
    /// The store.
    pub store: Arc<dyn ProviderStore>,
    /// Who is told of circuits.
    pub circuits: Arc<dyn CircuitWatch>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub mint: Arc<dyn Mint>,
    /// The rules.
    pub rules: ProviderRules,
}

/// Pools of providers: every operation, for every surface.
pub struct ProviderService {
    store: Arc<dyn ProviderStore>,
    circuits: Arc<dyn CircuitWatch>,
    clock: Arc<dyn Clock>,
    mint: Arc<dyn Mint>,
    rules: ProviderRules,
}

/// A provider that a call is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InPool {
    /// The pool.
    pub pool: PoolType,
    /// The provider.
    pub provider: ProviderId,
}

impl ProviderService {
    /// Pools on a store.
    #[must_use]
    pub fn new(parts: ProviderParts) -> Self {
        let ProviderParts { store, circuits, clock, mint, rules } = parts;
        Self { store, circuits, clock, mint, rules }
    }

    fn sealing<'a>(&'a self, owner: &'a str, marks: &'a Marks) -> Sealing<'a> {
        sealing(self.rules.ring.as_ref(), owner, marks)
    }
}

/// How secrets in settings of a provider are sealed and opened.
#[must_use]
pub fn sealing<'a>(ring: Option<&'a KeyRing>, owner: &'a str, marks: &'a Marks) -> Sealing<'a> {
    Sealing { ring, purpose: "provider", owner, marks }
}

/// Whose the secrets of a provider are. No two providers have the same: neither a pool nor a provider has a slash in its name.
#[must_use]
pub fn owner(pool: &PoolName, provider: &ProviderId) -> String {
    format!("{}/{}/{}", pool.namespace.as_str(), pool.pool.as_str(), provider.as_str())
}

fn named(caller: &Caller, pool: PoolType) -> PoolName {
    PoolName { namespace: caller.namespace.clone(), pool }
}
