//! How providers are shown to a model: settings as text, so that no digit changes.

use mainstay_api::Timestamp;
use mainstay_api::providers::{PoolType, Provider, ProviderBreaker, ProviderHealth, ProviderId};
use schemars::JsonSchema;
use serde::Serialize;

/// A provider.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp::tools) struct Shown {
    /// The pool.
    pool: PoolType,
    /// The provider.
    provider: ProviderId,
    /// The version of its settings; pass it as `expected` to change this version and no other.
    version: u64,
    /// Whether it is left out of every choice.
    disabled: bool,
    /// How it has been doing.
    health: ProviderHealth,
    /// Its circuit: whether requests are let through, since when, and why not.
    breaker: ProviderBreaker,
    /// Requests that it was chosen for.
    requests: u64,
    /// Requests that failed by its fault.
    errors: u64,
    /// Requests that are with it now.
    in_flight: u32,
    /// When it was last chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    used_at: Option<Timestamp>,
    /// Its settings, as JSON text; `********` in the place of secrets.
    json: String,
}

impl Shown {
    pub(super) fn of(provider: Provider) -> Self {
        Self {
            pool: provider.pool,
            provider: provider.id,
            version: provider.version,
            disabled: provider.disabled,
            health: provider.health,
            breaker: provider.breaker,
            requests: provider.counters.requests,
            errors: provider.counters.errors,
            in_flight: provider.in_flight,
            used_at: provider.counters.used_at,
            json: provider.settings.as_str().to_owned(),
        }
    }
}
