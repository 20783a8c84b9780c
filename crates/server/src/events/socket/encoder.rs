//! Events as frames of the socket, and as server-sent events.

use crate::live::socket::text;
use bytes::{Bytes, BytesMut};
use mainstay_core::api::events::LiveMessage;
use mainstay_hub::live::{Encode, LiveEvent, Notice, ProtocolId};
use serde::Serialize;

/// Writes the JSON messages of the WebSocket.
pub(crate) struct SocketFrames;

impl Encode for SocketFrames {
    fn protocol(&self) -> ProtocolId {
        ProtocolId("socket")
    }

    fn encode(&self, event: &LiveEvent) -> Option<Bytes> {
        let event = json(&event.event)?;
        let mut message = Vec::with_capacity(event.len() + 16);
        message.extend_from_slice(br#"{"op":"event","#);
        message.extend_from_slice(event.strip_prefix(b"{")?);
        Some(text(&message))
    }

    /// Frames of a WebSocket say where they end.
    fn joins(&self) -> bool {
        true
    }

    fn notice(&self, notice: &Notice) -> Option<Bytes> {
        message(&told(notice))
    }
}

/// The frame of a message.
pub(crate) fn message(message: &LiveMessage) -> Option<Bytes> {
    json(message).map(|json| text(&json))
}

/// Writes server-sent events.
pub(crate) struct SseEvents;

impl Encode for SseEvents {
    fn protocol(&self) -> ProtocolId {
        ProtocolId("sse")
    }

    fn encode(&self, event: &LiveEvent) -> Option<Bytes> {
        let event = &event.event;
        Some(sse(None, Some(&event.position.to_string()), &json(event)?))
    }

    fn notice(&self, notice: &Notice) -> Option<Bytes> {
        let (name, id) = match notice {
            Notice::Gap { position, .. } => ("gap", Some(position.to_string())),
            Notice::Conflated { .. } => ("conflated", None),
        };
        Some(sse(Some(name), id.as_deref(), &json(&told(notice))?))
    }
}

/// One server-sent event.
pub(crate) fn sse(name: Option<&str>, id: Option<&str>, json: &[u8]) -> Bytes {
    let mut event = BytesMut::with_capacity(json.len() + 96);
    if let Some(name) = name {
        event.extend_from_slice(format!("event: {name}\n").as_bytes());
    }
    if let Some(id) = id {
        event.extend_from_slice(format!("id: {id}\n").as_bytes());
    }
    event.extend_from_slice(b"data: ");
    // A line break of JSON stands between tokens, where a space means the same.
    event.extend(json.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }));
    event.extend_from_slice(b"\n\n");
    event.freeze()
}

/// A JSON document of ours.
pub(crate) fn json(value: &impl Serialize) -> Option<Vec<u8>> {
    match serde_json::to_vec(value) {
        Ok(json) => Some(json),
        Err(error) => {
            tracing::error!(%error, "a message is not JSON");
            None
        }
    }
}

fn told(notice: &Notice) -> LiveMessage {
    match notice.clone() {
        Notice::Gap { stream, room, gap, position } => LiveMessage::Gap { stream, room, gap, position },
        Notice::Conflated { stream, room, dropped } => LiveMessage::Conflated { stream, room, dropped },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mainstay_core::api::events::Event;

    fn event() -> LiveEvent {
        let event = r#"{"id":"1","type":"said","stream":"chat","room":"r","timestamp":"2026-01-16T00:00:00Z",
            "payload":{"n":1.10,
            "text":"a\nb"},"position":"e:5-0"}"#;
        LiveEvent::new(serde_json::from_str::<Event>(event).unwrap())
    }

    #[test]
    fn an_event_is_a_message_with_its_payload_unchanged() {
        let frame = SocketFrames.encode(&event()).unwrap();
        let text = std::str::from_utf8(&frame[4..]).unwrap();
        assert!(text.starts_with(r#"{"op":"event","id":"1","type":"said","#), "{text}");
        assert!(text.contains("{\"n\":1.10,\n"), "{text}");
        let described = LiveMessage::Event(Box::new(event().event));
        let same = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(same(text), same(&serde_json::to_string(&described).unwrap()));
    }

    #[test]
    fn a_server_sent_event_is_one_line_of_data_whatever_breaks_its_payload_has() {
        let written = SseEvents.encode(&event()).unwrap();
        let text = std::str::from_utf8(&written).unwrap();
        assert!(text.starts_with("id: e:5-0\ndata: {"), "{text}");
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.ends_with("}\n\n"));
        assert!(text.contains(r#"a\nb"#), "what is said keeps its breaks: {text}");
    }
}
