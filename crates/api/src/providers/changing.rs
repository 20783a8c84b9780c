//! Pools of providers, as they are changed.

use super::{ProviderCounters, ProviderHealth, ProviderId};
use crate::RawJson;
use serde::{Deserialize, Serialize};

/// Most providers in a pool.
pub const MAX_PROVIDERS: u32 = 1_000;
/// Most pools in a namespace.
pub const MAX_POOLS: u32 = 256;
/// Largest settings of a provider, or of a pool itself, in bytes.
pub const MAX_SETTINGS_BYTES: usize = 64 * 1_024;
/// Longest reason for setting a circuit by hand, in bytes.
pub const MAX_REASON_BYTES: usize = 256;
/// Largest counter that is set: above it, readers of JSON lose digits.
pub const MAX_COUNT: u64 = 1 << 53;
/// Longest words of a failure that are set, in bytes.
pub const MAX_FAILURE_BYTES: usize = 16 * 1_024;

/// A pool to write. What is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct PutPool {
    /// The settings of the pool itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<RawJson>,
    /// All of its providers, in their order: who is not among them leaves the pool. Who stays keeps health, counters and
    /// credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub providers: Option<Vec<PutProvider>>,
}

/// A provider in a pool to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct PutProvider {
    /// Which.
    pub id: ProviderId,
    /// Its settings. A mask where a secret stands keeps that secret.
    pub settings: RawJson,
    /// Sets its health, as an import does; it stays as it is where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_health: Option<ProviderHealth>,
    /// Sets its counters, as an import does; they stay as they are where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_counters: Option<ProviderCounters>,
}

/// A provider to add at the end of its pool, which is made where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct AddProvider {
    /// Its id; made where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ProviderId>,
    /// Its settings.
    pub settings: RawJson,
}

/// What to set back. Nothing named stands for both.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema,
)]
#[serde(default)]
pub struct ResetProviders {
    /// Whether counters begin at 0 again.
    pub counters: bool,
    /// Whether health, and the circuit where it is not forced open, are as of a new one.
    pub health: bool,
}

/// How many providers were set back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct ProvidersReset {
    /// How many.
    pub providers: u32,
}

/// What is done to a circuit by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BreakerAction {
    /// Forces it open: no request is let through until somebody closes it.
    Open,
    /// Closes it, however it was opened; from then on the rules decide again.
    Close,
}

/// A circuit to set by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct SetBreaker {
    /// What is done.
    pub action: BreakerAction,
    /// Why, for those who look at it later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
