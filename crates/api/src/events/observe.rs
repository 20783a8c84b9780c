//! How streams and those who work on them stand.

use super::{ConsumerName, GroupName, StreamName};
use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// From this many events behind, a group is degraded.
pub const LAG_DEGRADED: u64 = 100;
/// Beyond this many events behind, a group is unhealthy.
pub const LAG_UNHEALTHY: u64 = 1_000;

/// How something stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Less than 100 events behind.
    Healthy,
    /// 100 to 1,000 events behind.
    Degraded,
    /// More than 1,000 events behind, or it cannot be said.
    Unhealthy,
}

impl Standing {
    /// How a group stands that is so many events behind.
    #[must_use]
    pub fn of_lag(lag: u64) -> Self {
        match lag {
            0..LAG_DEGRADED => Self::Healthy,
            LAG_DEGRADED..=LAG_UNHEALTHY => Self::Degraded,
            _ => Self::Unhealthy,
        }
    }
}

/// How far the groups of the namespace are behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct ConsumerLag {
    /// The worst of them; healthy where there are none.
    pub status: Standing,
    /// The sum of all.
    pub total_lag: u64,
    /// Each group of each stream, all partitions together, in the order of their names.
    pub groups: Vec<GroupLag>,
}

/// How far a group is behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct GroupLag {
    /// The stream.
    pub stream: StreamName,
    /// The group.
    pub group: GroupName,
    /// How it stands.
    pub status: Standing,
    /// Events that nobody has taken yet.
    pub lag: u64,
    /// Whether there may be more of them: the store counted as far as one call may.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lag_at_least: bool,
    /// Events taken and not acknowledged.
    pub pending: u64,
    /// Milliseconds for which the oldest of these has been held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_pending_ms: Option<u64>,
    /// Consumers that hold something, or took something in the last hour, by name.
    pub consumers: Vec<ConsumerName>,
    /// Events given up on.
    pub dead: u64,
    /// Events that were trimmed while a consumer held them.
    pub lost: u64,
}

/// How the events of the namespace stand as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct EventsHealth {
    /// The worst of its groups.
    pub status: Standing,
    /// Each stream.
    pub streams: Vec<StreamHealth>,
}

/// How a stream stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct StreamHealth {
    /// The stream.
    pub stream: StreamName,
    /// The worst of its groups.
    pub status: Standing,
    /// Events kept.
    pub length: u64,
    /// When its last event was stored; absent where it never had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_event_at: Option<Timestamp>,
    /// The largest lag of its groups.
    pub max_lag: u64,
}
