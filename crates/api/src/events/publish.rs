//! Publishing.

use super::{EventId, EventMetadata, EventPosition, EventType, RoomId};
use crate::Timestamp;
use crate::raw::RawJson;
use serde::{Deserialize, Serialize};

/// An event to publish.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishEvent {
    /// The id; a UUID made by the server when absent. An id that was published to this stream within its window is
    /// recognised, and nothing is published again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<EventId>,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// What it is about.
    pub room: RoomId,
    /// When it happened; now when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// A JSON object of at most 64 KiB, carried unchanged.
    pub payload: RawJson,
    /// How it came about.
    #[serde(default, skip_serializing_if = "EventMetadata::is_empty")]
    pub metadata: EventMetadata,
}

/// One event, or several.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishEvents {
    /// 1 to 100 events. Those of one room are stored in this order, all or none; events of rooms in different
    /// partitions are stored partition by partition.
    pub events: Vec<PublishEvent>,
}

/// What became of the events, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct PublishedEvents {
    /// One for each.
    pub events: Vec<PublishedEvent>,
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct PublishedEvent {
    /// Its id.
    pub id: EventId,
    /// Where it stands; of a repeated event, where the first one does.
    pub position: EventPosition,
    /// Whether it had been published before, so that nothing happened now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub duplicate: bool,
}
