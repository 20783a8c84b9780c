//! Entries of a stream, ours and those of others, as events.

use mainstay_core::api::events::{EventId, EventMetadata, EventOffset, EventType, RoomId};
use mainstay_core::api::{RawJson, Timestamp};
use mainstay_core::events::{NewEvent, StoredEvent};
use std::collections::HashMap;

/// An entry as Redis gives it: its place, and names and values in turn.
pub(crate) type Entry = (String, Vec<Vec<u8>>);

/// The event of an entry; nothing where it is none.
pub(crate) fn event((place, fields): Entry) -> Option<StoredEvent> {
    let offset: EventOffset = place.parse().ok()?;
    let fields: HashMap<&[u8], &[u8]> = fields.chunks_exact(2).map(|pair| (&pair[0][..], &pair[1][..])).collect();
    let text = |name: &str| fields.get(name.as_bytes()).and_then(|value| std::str::from_utf8(value).ok());
    let payload = RawJson::parse(text("payload")?).ok().filter(RawJson::is_object)?;
    // Others may leave the time out, or write one that we do not read: the place tells it as well.
    let stored = || Timestamp::from_millis(i64::try_from(offset.ms).unwrap_or(i64::MAX));
    Some(StoredEvent {
        offset,
        event: NewEvent {
            id: EventId::parse(text("event_id")?).ok()?,
            kind: EventType::parse(text("event_type")?).ok()?,
            room: RoomId::parse(text("room_id")?).ok()?,
            timestamp: text("timestamp").and_then(|text| text.parse().ok()).unwrap_or_else(stored),
            payload,
            metadata: text("metadata").and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default(),
        },
    })
}

/// What is stored of where an event came from; empty for nothing.
pub(super) fn metadata(metadata: &EventMetadata) -> serde_json::Result<String> {
    if metadata.is_empty() { Ok(String::new()) } else { serde_json::to_string(metadata) }
}

/// A time as the other backends write it, with the zone as an offset, which every reader of theirs knows.
pub(super) fn time(at: Timestamp) -> String {
    at.to_millis_text().replace('Z', "+00:00")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(fields: &[(&str, &str)]) -> Entry {
        let flat = fields.iter().flat_map(|(name, value)| [name.as_bytes().to_vec(), value.as_bytes().to_vec()]);
        ("1763673827000-3".into(), flat.collect())
    }

    #[test]
    fn what_another_backend_adds_is_an_event() {
        let written = entry(&[
            ("event_id", "0b8e0bb6-8f0c-4d69-9d4c-4e0d1a2b3c4d"),
            ("event_type", "chat_message"),
            ("timestamp", "2026-01-16T10:00:00.123456+00:00"),
            ("room_id", "42"),
            ("payload", r#"{"id": "m1", "big": 12345678901234567890123}"#),
            ("metadata", r#"{"trace_id": "t", "own": [1]}"#),
            ("unknown", "x"),
        ]);
        let event = event(written).unwrap();
        assert_eq!(event.offset.to_string(), "1763673827000-3");
        assert_eq!(event.event.timestamp.as_millis(), 1_768_557_600_123);
        assert_eq!(event.event.payload.as_str(), r#"{"id": "m1", "big": 12345678901234567890123}"#);
        assert_eq!(event.event.metadata.trace_id.as_deref(), Some("t"));
        assert!(event.event.metadata.other.contains_key("own"));
    }

    #[test]
    fn a_time_is_optional_and_the_rest_is_not() {
        let whole = [("event_id", "e"), ("event_type", "t"), ("room_id", "r"), ("payload", "{}")];
        assert_eq!(event(entry(&whole)).unwrap().event.timestamp.as_millis(), 1_763_673_827_000);
        for left_out in 0..whole.len() {
            let mut fields = whole.to_vec();
            fields.remove(left_out);
            assert!(event(entry(&fields)).is_none(), "{left_out}");
        }
        for payload in ["", "[]", "{", "1"] {
            assert!(
                event(entry(&[("event_id", "e"), ("event_type", "t"), ("room_id", "r"), ("payload", payload)]))
                    .is_none()
            );
        }
    }
}
