//! How the founding system told how its store stands.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// The answer of `GET /api/redis/status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LegacyRedisStatus {
    /// Whether the store is a Redis.
    pub enabled: bool,
    /// Whether it answers.
    pub connected: bool,
    /// `redis`, or `file` for the embedded store.
    pub storage_type: String,
    /// Where it is, without any secret; `null` for the embedded store.
    pub url: Option<String>,
    /// What its keys begin with.
    pub key_prefix: String,
    /// What was counted.
    pub stats: LegacyStats,
    /// When what happened.
    pub timestamps: LegacyTimestamps,
    /// Why something failed last.
    pub last_error: Option<String>,
    /// Whether settings are read from copies.
    pub degraded_mode: bool,
    /// More of that, while it is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degraded_mode_info: Option<LegacyDegraded>,
    /// What a round trip showed.
    pub health: LegacyStoreHealth,
}

/// Counts of the founding system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LegacyStats {
    /// Connections after the first.
    pub reconnect_count: u64,
    /// Commands that were sent.
    pub total_commands: u64,
    /// Those that failed.
    pub failed_commands: u64,
    /// Writes that wait.
    pub queued_writes: u64,
}

/// Moments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LegacyTimestamps {
    /// The first connection.
    pub initial_connection_at: Option<Timestamp>,
    /// The last one.
    pub last_connected_at: Option<Timestamp>,
    /// The last failure.
    pub last_error_at: Option<Timestamp>,
}

/// How long the store has been away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LegacyDegraded {
    /// Always.
    pub degraded: bool,
    /// Since when, in milliseconds since 1970.
    pub since: i64,
    /// How long that is, in milliseconds.
    pub duration: i64,
    /// Writes that wait.
    pub queued_writes: u64,
}

/// What a round trip showed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LegacyStoreHealth {
    /// `healthy`, `disconnected`, or `disabled` where the store is no Redis.
    pub status: String,
    /// How long it took, in milliseconds.
    pub latency_ms: Option<f64>,
    /// When.
    pub checked_at: Timestamp,
}

/// The answer of `GET /api/storage/status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LegacyStorageStatus {
    /// Always.
    pub initialized: bool,
    /// `redis` or `file`.
    pub r#type: String,
    /// More of a Redis.
    pub redis: LegacyRedis,
    /// Whether settings are read from copies.
    pub degraded_mode: bool,
}

/// Whether there is a Redis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LegacyRedis {
    /// Whether the store is one.
    pub enabled: bool,
    /// Whether it answers.
    pub connected: bool,
}
