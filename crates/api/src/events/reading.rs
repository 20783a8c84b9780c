//! Reading events that are stored.

use super::{Event, EventGap, EventOffset, EventPosition, RoomId, StreamName};
use serde::{Deserialize, Serialize};

/// Events on a page where the caller does not say.
pub const DEFAULT_EVENTS_PAGE: u32 = 100;

/// Which events of a stream to read.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ReadEvents {
    /// The position behind which to begin, as an earlier answer gave it; the oldest event kept where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<EventPosition>,
    /// Only events of this room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomId>,
    /// The partition to read, where the stream has several and no room is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<u16>,
    /// Most events to examine: 1 to 1,000, 100 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Events of one partition of a stream, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct EventPage {
    /// The partition.
    pub partition: u16,
    /// The events.
    pub events: Vec<Event>,
    /// Give it as `from` to go on.
    pub position: EventPosition,
    /// Whether more can be read at once.
    pub more: bool,
    /// Set where something behind `from` is gone, or may be: the events then begin with the oldest kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<EventGap>,
    /// Entries that others wrote and that are no events: they were passed over.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unreadable: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The streams of the installation, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct StreamList {
    /// The streams.
    pub streams: Vec<StreamState>,
}

/// A stream, and what it holds in a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct StreamState {
    /// Its name.
    pub name: StreamName,
    /// About how many events each partition keeps.
    pub max_len: u32,
    /// How long an event is kept, in seconds; without an end where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age_s: Option<u64>,
    /// How long the id of an event is remembered, in seconds.
    pub dedupe_s: u64,
    /// The key in Redis of its first partition in the namespace `default`.
    pub redis_key: String,
    /// How many events are kept, in all partitions.
    pub length: u64,
    /// Its partitions.
    pub partitions: Vec<PartitionState>,
}

/// What a partition holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct PartitionState {
    /// Its number, from 0.
    pub partition: u16,
    /// The position of its end: give it as `from` to read what comes from now on.
    pub position: EventPosition,
    /// The oldest event kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<EventOffset>,
    /// How many events are kept.
    pub length: u64,
}
