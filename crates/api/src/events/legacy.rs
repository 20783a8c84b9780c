//! How streams stand, in the shapes that monitors of the founding system read. Streams are named by their keys in Redis.

use super::{ConsumerName, GroupName, Standing};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A number that cannot be said.
pub const UNKNOWN: i64 = -1;

/// How far consumers are behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LegacyLag {
    /// Each stream, by its key.
    pub streams: BTreeMap<String, LegacyStreamLag>,
    /// The sum of what is known.
    pub total_lag: i64,
    /// How many streams there are.
    pub stream_count: usize,
}

/// How far the consumers of a stream are behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LegacyStreamLag {
    /// The lag of the group that is furthest behind; 0 where there is no group, -1 where it cannot be said.
    pub lag: i64,
    /// Its consumers.
    pub consumers: Vec<ConsumerName>,
    /// Why it cannot be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The streams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LegacyStreams {
    /// Each of them.
    pub streams: Vec<LegacyStream>,
}

/// A stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LegacyStream {
    /// Its key.
    pub name: String,
    /// Events kept; -1 where it cannot be said.
    pub length: i64,
    /// How many groups it has; -1 where it cannot be said.
    pub groups: i64,
    /// The group that is furthest behind.
    pub consumer_group: Option<GroupName>,
}

/// How the streams stand as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LegacyHealth {
    /// The worst of them.
    pub status: Standing,
    /// Whether the store, whatever it is, answered for every stream.
    pub redis_connected: bool,
    /// `redis_streams`, or the kind of another store.
    pub transport_mode: String,
    /// How many stand how.
    pub streams: LegacyStandings,
    /// The largest lag; -1 where none can be said.
    pub max_lag: i64,
    /// The sum of what is known.
    pub total_lag: i64,
    /// The group that is furthest behind.
    pub consumer_group: Option<GroupName>,
}

/// How many streams stand how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LegacyStandings {
    /// Less than 100 events behind.
    pub healthy: usize,
    /// 100 to 1,000 events behind.
    pub degraded: usize,
    /// More than 1,000 events behind, or it cannot be said.
    pub unhealthy: usize,
}
