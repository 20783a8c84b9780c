//! Health and readiness.

use serde::{Deserialize, Serialize};

/// The answer of `/health`, `/health/live` and `/health/ready`. Holds nothing personal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Health {
    /// `ok`, or `unavailable` with status 503.
    pub status: HealthStatus,
    /// The version of the server.
    pub version: String,
    /// The store behind the server; absent from the liveness answer, which does not ask it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreHealth>,
}

/// Whether a server can do its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// It can.
    Ok,
    /// It cannot; the store is away or the server is stopping.
    Unavailable,
}

/// The state of the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StoreHealth {
    /// `sqlite`, `redis`, `redis+sentinel` or `redis+cluster`.
    pub kind: String,
    /// Whether the store answered.
    pub reachable: bool,
    /// The time of one round trip, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// Whether what was acknowledged survives a crash of the store's machine (`false` for a store in memory).
    pub durable: bool,
    /// Whether other nodes can use the same store.
    pub shared: bool,
    /// Settings of the store that put data at risk, such as an eviction policy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}
