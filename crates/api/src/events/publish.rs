//! Publishing.

use super::{EventId, EventMetadata, EventPosition, EventType, RoomId};
use crate::Timestamp;
use crate::raw::RawJson;
use serde::{Deserialize, Deserializer, Serialize};

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

/// Events to publish. Where there is one, the event itself may stand in the place of the list.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct PublishEvents {
    /// 1 to 100 events. Those of one room are stored in this order, all or none; events of rooms in different
    /// partitions are stored partition by partition.
    pub events: Vec<PublishEvent>,
}

/// Both forms in one: a form that is tried after another would lose the digits of payloads, and the path of errors.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OneOrSeveral {
    events: Option<Vec<PublishEvent>>,
    id: Option<EventId>,
    #[serde(rename = "type")]
    kind: Option<EventType>,
    room: Option<RoomId>,
    timestamp: Option<Timestamp>,
    payload: Option<RawJson>,
    metadata: Option<EventMetadata>,
}

impl<'de> Deserialize<'de> for PublishEvents {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        OneOrSeveral::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
    }
}

impl TryFrom<OneOrSeveral> for PublishEvents {
    type Error = &'static str;

    fn try_from(given: OneOrSeveral) -> Result<Self, Self::Error> {
        let OneOrSeveral { events, id, kind, room, timestamp, payload, metadata } = given;
        let alone = id.is_none() && timestamp.is_none() && metadata.is_none();
        match (events, kind, room, payload) {
            (Some(events), None, None, None) if alone => Ok(Self { events }),
            (Some(_), ..) => Err("`events` stands alone: each event in it has fields of its own"),
            (None, Some(kind), Some(room), Some(payload)) => {
                let metadata = metadata.unwrap_or_default();
                Ok(Self { events: vec![PublishEvent { id, kind, room, timestamp, payload, metadata }] })
            }
            (None, None, ..) => Err("missing field `type`"),
            (None, _, None, _) => Err("missing field `room`"),
            (None, _, _, None) => Err("missing field `payload`"),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_event_or_a_list_of_them_is_accepted_and_nothing_between() {
        let one = r#"{"type":"chat_message","room":"request:42","payload":{"n":12345678901234567890.0}}"#;
        let read = |text: &str| serde_json::from_str::<PublishEvents>(text);
        let parsed = read(one).unwrap();
        assert_eq!(parsed.events[0].payload.as_str(), r#"{"n":12345678901234567890.0}"#);
        assert_eq!(read(&format!(r#"{{"events":[{one},{one}]}}"#)).unwrap().events.len(), 2);
        for bad in [
            r#"{"events":[],"room":"a"}"#,
            r#"{"type":"a","room":"b"}"#,
            r#"{"type":"a","payload":{}}"#,
            r#"{"room":"a","payload":{}}"#,
            r#"{"type":"a","room":"b","payload":{},"colour":1}"#,
            "{}",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
