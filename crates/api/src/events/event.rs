//! The envelope of an event.

use super::{EventId, EventPosition, EventType, RoomId, StreamName};
use crate::Timestamp;
use crate::raw::RawJson;
use serde::{Deserialize, Serialize};

/// An event as clients and workers get it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct Event {
    /// Its id; the same for every delivery, by which repeats are recognised.
    pub id: EventId,
    /// What happened, such as `chat_message`.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// The stream.
    pub stream: StreamName,
    /// What it is about.
    pub room: RoomId,
    /// When it happened, as its publisher says.
    pub timestamp: Timestamp,
    /// What its publisher says of it; carried unchanged.
    pub payload: RawJson,
    /// How it came about.
    #[serde(default, skip_serializing_if = "EventMetadata::is_empty")]
    pub metadata: EventMetadata,
    /// Where it stands: give it as `from` to go on behind it.
    pub position: EventPosition,
}

/// How an event came about. What is not named here is kept and passed on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct EventMetadata {
    /// Relates it to a trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// The process that published it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_instance: Option<String>,
    /// How many events it stands for, itself included, where it is the last state of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coalesced_count: Option<u32>,
    /// The live connection that it came from, which does not get it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Whatever else the publisher said.
    #[serde(flatten)]
    pub other: serde_json::Map<String, serde_json::Value>,
}

impl EventMetadata {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
