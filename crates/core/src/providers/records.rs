//! What a store knows of pools and providers. As JSON, these are what a node keeps for the time in which its store is away.

use mainstay_api::providers::{PoolType, ProviderId};
use mainstay_api::{Namespace, RawJson, Timestamp};
use serde::{Deserialize, Serialize};

/// A pool in a namespace: one aggregate, with all of its providers and their credentials.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PoolName {
    /// Where.
    pub namespace: Namespace,
    /// Which.
    pub pool: PoolType,
}

impl PoolName {
    /// A page of names, in their order, behind one of them.
    #[must_use]
    pub fn page(mut names: Vec<Self>, after: Option<&Self>, limit: u32) -> Vec<Self> {
        names.retain(|name| after.is_none_or(|after| name > after));
        names.sort();
        names.truncate(limit as usize);
        names
    }
}

/// What the store itself needs to know of a provider's settings in order to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traits {
    /// Whether it is left out of every choice.
    pub disabled: bool,
    /// Its share where choices are weighted, from 1.
    pub weight: u32,
    /// The lower, the earlier it is filled, where choices go by priority.
    pub priority: u32,
    /// Most requests at a time; 0 for any number.
    pub max_in_flight: u32,
    /// Models that it does not serve.
    pub excluded_models: Vec<String>,
}

impl Default for Traits {
    fn default() -> Self {
        Self { disabled: false, weight: 1, priority: 0, max_in_flight: 0, excluded_models: Vec::new() }
    }
}

/// The settings of a provider: the first of its domains, changed by people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderSettings {
    /// All that was said of it, opaque to the store: unknown members and numbers stay as they were written. What is secret
    /// in it is sealed.
    pub body: RawJson,
    /// The part of it that choices need.
    pub traits: Traits,
    /// The key that something in the body is sealed with.
    pub seal_key: Option<String>,
    /// The revision of the pool at which they were changed, so that it grows with every change, also where the provider was removed
    /// and added.
    pub version: u64,
    /// When it was changed.
    pub updated_at: Timestamp,
}

/// How a provider has been doing: the second domain, changed by what its requests and checks showed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Health {
    /// Whether it was found unhealthy. It is tried again when [`Self::retry_at`] has passed.
    pub unhealthy: bool,
    /// Failures in a row, those that count, each no later after the other than the window of the rules.
    pub failures: u32,
    /// The last failure, and its words.
    pub last_failure: Option<(Timestamp, String)>,
    /// From when on a request is let through again to see; absent where only a person, or a check, says so.
    pub retry_at: Option<Timestamp>,
    /// Whether its credential must be refreshed before it is chosen again.
    pub needs_refresh: bool,
    /// The last active check, and the model that was asked.
    pub checked: Option<(Timestamp, Option<String>)>,
}

/// What was counted of a provider: the third domain. Every number is counted in the store, never written over.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counters {
    /// Requests that it was chosen for, and that may have reached it.
    pub requests: u64,
    /// Requests that failed by its fault.
    pub errors: u64,
    /// Credentials that were refreshed.
    pub refreshes: u64,
    /// When it was last chosen.
    pub used_at: Option<Timestamp>,
    /// When it last failed.
    pub failed_at: Option<Timestamp>,
    /// The number of its last choice within the pool.
    pub sequence: u64,
}

/// Whether requests are let through to an upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum BreakerState {
    /// All are.
    #[default]
    Closed,
    /// None is, until the next probe.
    Open,
    /// One in so many is.
    HalfOpen,
    /// None is, until somebody says otherwise.
    ForcedOpen,
}

/// The circuit breaker of a provider, which all nodes share.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Breaker {
    /// Whether requests are let through.
    pub state: BreakerState,
    /// Why it is not closed.
    pub reason: Option<String>,
    /// Since when it is in this state.
    pub since: Option<Timestamp>,
    /// When the next request is let through to see, where it is open.
    pub probe_at: Option<Timestamp>,
}

/// A provider with all that a store knows of it but its credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderRecord {
    /// Which.
    pub id: ProviderId,
    /// Its settings.
    pub settings: ProviderSettings,
    /// Its health.
    pub health: Health,
    /// What was counted.
    pub counters: Counters,
    /// Its circuit breaker.
    pub breaker: Breaker,
    /// Requests that are with it now.
    pub in_flight: u32,
    /// The version of its credential; absent where it has none.
    pub credential: Option<u64>,
}

/// A pool with its providers, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolRecord {
    /// Grows with every change of settings and of who is in the pool: `max(last + 1, now in microseconds)`, so that a pool that was
    /// dropped and made again does not repeat it.
    pub revision: u64,
    /// The settings of the pool itself, opaque to the store: its protocol, how providers are chosen, headers, limits.
    pub settings: RawJson,
    /// The providers. A pool may be empty.
    pub providers: Vec<ProviderRecord>,
}

/// A pool in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolSummary {
    /// Which.
    pub pool: PoolType,
    /// See [`PoolRecord::revision`].
    pub revision: u64,
    /// How many providers are in it.
    pub providers: u32,
}
