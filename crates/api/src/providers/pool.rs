//! Pools of providers, as they are read.

use super::{PoolType, ProviderId};
use crate::{RawJson, Timestamp};
use serde::{Deserialize, Serialize};

/// A pool in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct PoolEntry {
    /// The pool.
    pub pool: PoolType,
    /// Its revision, which grows with every change of settings and of who is in it.
    pub revision: u64,
    /// How many providers are in it.
    pub providers: u32,
}

/// The pools of a namespace, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct PoolList {
    /// The pools.
    pub pools: Vec<PoolEntry>,
}

/// A pool with its providers, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct Pool {
    /// The pool.
    pub pool: PoolType,
    /// Its revision, which grows with every change of settings and of who is in it.
    pub revision: u64,
    /// Its settings: protocol, strategy, rules of health and circuits.
    pub settings: RawJson,
    /// The providers.
    pub providers: Vec<Provider>,
}

/// A provider with all that is known of it but its credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct Provider {
    /// The pool.
    pub pool: PoolType,
    /// The provider.
    pub id: ProviderId,
    /// The version of its settings, which grows with every change of them.
    pub version: u64,
    /// When its settings were changed.
    pub updated_at: Timestamp,
    /// Whether its settings leave it out of every choice.
    pub disabled: bool,
    /// Its settings as they were written, with masks in the place of secrets unless these were asked for.
    pub settings: RawJson,
    /// How it has been doing.
    pub health: ProviderHealth,
    /// What was counted.
    pub counters: ProviderCounters,
    /// Its circuit breaker.
    pub breaker: ProviderBreaker,
    /// Requests that are with it now.
    pub in_flight: u32,
    /// The version of its credential; absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<u64>,
}

/// How a provider has been doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(default)]
pub struct ProviderHealth {
    /// Whether it may be chosen, as far as requests and checks showed.
    pub healthy: bool,
    /// Failures in a row that count.
    pub failures: u32,
    /// When it last failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<Timestamp>,
    /// How it last failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// From when on it is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
    /// Whether its credential must be refreshed before it is chosen again.
    pub needs_refresh: bool,
    /// When it was last checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<Timestamp>,
    /// Which model was asked then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked_model: Option<String>,
}

impl Default for ProviderHealth {
    fn default() -> Self {
        Self {
            healthy: true,
            failures: 0,
            failed_at: None,
            failure: None,
            retry_at: None,
            needs_refresh: false,
            checked_at: None,
            checked_model: None,
        }
    }
}

/// What was counted of a provider.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(default)]
pub struct ProviderCounters {
    /// Requests that it was chosen for.
    pub requests: u64,
    /// Requests that failed by its fault.
    pub errors: u64,
    /// Credentials that were refreshed.
    pub refreshes: u64,
    /// When it was last chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Timestamp>,
    /// When a request to it last failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<Timestamp>,
    /// The number of its last choice within the pool.
    pub sequence: u64,
}

/// Whether requests are let through to an upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CircuitState {
    /// All are.
    Closed,
    /// None is, until the next probe.
    Open,
    /// One in so many is.
    HalfOpen,
    /// None is, until somebody closes it.
    ForcedOpen,
}

impl CircuitState {
    /// The state as text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::ForcedOpen => "forced_open",
        }
    }
}

/// The circuit breaker of a provider, which all nodes share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct ProviderBreaker {
    /// Whether requests are let through.
    pub state: CircuitState,
    /// Why it is not closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Since when it is in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// When the next request is let through to see, where it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe_at: Option<Timestamp>,
}
