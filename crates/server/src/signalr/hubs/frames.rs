//! Events as frames of a hub's clients: written once for all of them that speak the same protocol.

use super::{HubKind, wording};
use bytes::Bytes;
use mainstay_core::api::events::{EventGap, EventPosition, RoomId, StreamName};
use mainstay_hub::live::{Encode, LiveEvent, Notice, ProtocolId};
use mainstay_signalr::{Invocation, Message, Protocol, Value};
use serde::Serialize;
use std::sync::OnceLock;

/// Writes what clients of a hub are told.
pub(crate) struct HubFrames {
    hub: HubKind,
    /// Known from the handshake on. Before it nobody is subscribed to anything.
    protocol: OnceLock<Protocol>,
}

impl HubFrames {
    pub(crate) fn new(hub: HubKind) -> Self {
        Self { hub, protocol: OnceLock::new() }
    }

    /// Says what the handshake agreed on.
    pub(crate) fn speak(&self, protocol: Protocol) {
        self.protocol.get_or_init(|| protocol);
    }

    fn spoken(&self) -> Protocol {
        self.protocol.get().copied().unwrap_or(Protocol::Json)
    }

    fn call(&self, target: &str, argument: Value) -> Option<Bytes> {
        let call = Message::Invocation(Invocation::send(target, vec![argument]));
        let frame = self.spoken().encode(&call);
        frame.inspect_err(|cause| tracing::warn!(%cause, target, "an event has no form for clients")).ok()
    }
}

impl Encode for HubFrames {
    fn protocol(&self) -> ProtocolId {
        let [json, messagepack] = match self.hub {
            HubKind::Chat => ["chat+json", "chat+messagepack"],
            HubKind::Ticket => ["ticket+json", "ticket+messagepack"],
            HubKind::Notification => ["notification+json", "notification+messagepack"],
            HubKind::RemoteAccess => ["remote-access+json", "remote-access+messagepack"],
            HubKind::Events => ["events+json", "events+messagepack"],
        };
        ProtocolId(match self.spoken() {
            Protocol::Json => json,
            Protocol::MessagePack => messagepack,
        })
    }

    fn encode(&self, event: &LiveEvent) -> Option<Bytes> {
        let (target, argument) = wording::told(self.hub, &event.event)?;
        self.call(&target, argument)
    }

    /// Clients of the hubs that carry no positions have no word for a gap: they are closed, come back, and fetch what
    /// they may have missed, as they do whenever they come back.
    fn notice(&self, notice: &Notice) -> Option<Bytes> {
        match notice {
            Notice::Gap { stream, room, gap, position } if self.hub == HubKind::Events => {
                let (gap, position) = (Some(*gap), Some(position));
                self.call("Gap", Value::write(&Missed { stream, room, gap, position, dropped: None }).ok()?)
            }
            Notice::Gap { .. } => None,
            Notice::Conflated { stream, room, dropped } => {
                let missed = Missed { stream, room, gap: None, position: None, dropped: Some(*dropped) };
                self.call("Conflated", Value::write(&missed).ok()?)
            }
        }
    }
}

/// What was not delivered.
#[derive(Serialize)]
struct Missed<'a> {
    stream: &'a StreamName,
    room: &'a RoomId,
    #[serde(skip_serializing_if = "Option::is_none")]
    gap: Option<EventGap>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<&'a EventPosition>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dropped: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> LiveEvent {
        let event = r#"{"id":"1","type":"chat_message","stream":"chat","room":"request:42",
            "timestamp":"2026-01-16T00:00:00Z","payload":{"n":1.10},"position":"e:5-0"}"#;
        LiveEvent::new(serde_json::from_str(event).unwrap())
    }

    fn gap() -> Notice {
        let position = "e:5-0".parse().unwrap();
        let (stream, room) = (StreamName::parse("chat").unwrap(), RoomId::parse("r").unwrap());
        Notice::Gap { stream, room, gap: EventGap::Trimmed, position }
    }

    #[test]
    fn a_message_is_told_bare_and_with_its_digits() {
        let frames = HubFrames::new(HubKind::Chat);
        frames.speak(Protocol::Json);
        let frame = frames.encode(&event()).unwrap();
        assert_eq!(&frame[..], &b"{\"type\":1,\"target\":\"ReceiveMessage\",\"arguments\":[{\"n\":1.10}]}\x1e"[..]);
    }

    #[test]
    fn each_hub_and_protocol_writes_a_form_of_its_own() {
        let forms = HubKind::ALL.into_iter().flat_map(|hub| {
            Protocol::ALL.map(|protocol| {
                let frames = HubFrames::new(hub);
                frames.speak(protocol);
                frames.protocol()
            })
        });
        assert_eq!(forms.collect::<std::collections::HashSet<_>>().len(), 10);
    }

    #[test]
    fn a_hub_without_positions_has_no_word_for_a_gap() {
        for hub in HubKind::ALL {
            assert_eq!(HubFrames::new(hub).notice(&gap()).is_some(), hub == HubKind::Events, "{hub:?}");
        }
    }
}
