//! An event on its way to many connections, and how it is written for them.

use super::meter::Stamp;
use bytes::Bytes;
use mainstay_core::api::events::{Event, EventGap, EventOffset, EventPosition, RoomId, StreamName};
use std::sync::{Mutex, PoisonError};

/// A form in which events are written. Two encoders with the same id write every event alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProtocolId(pub &'static str);

/// Writes what is delivered into frames of a protocol.
pub trait Encode: Send + Sync {
    /// The form it writes. What it makes of an event depends on nothing else, because its frames are shared.
    fn protocol(&self) -> ProtocolId;

    /// The frame of an event; none where the protocol does not tell it.
    fn encode(&self, event: &LiveEvent) -> Option<Bytes>;

    /// Whether frames may be put one behind the other into one: what was written apart is the same to the client then.
    fn joins(&self) -> bool {
        false
    }

    /// The frame of a notice. A connection whose protocol cannot tell a gap is closed at one: it is never passed over.
    fn notice(&self, notice: &Notice) -> Option<Bytes>;
}

/// What a connection is told about a room besides its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Events were missed, and must be fetched from where they are kept; the room goes on behind the position.
    Gap {
        /// The stream.
        stream: StreamName,
        /// The room.
        room: RoomId,
        /// Why.
        gap: EventGap,
        /// Where it goes on.
        position: EventPosition,
    },
    /// Events were left out because the connection was slow: the last one of each type follows.
    Conflated {
        /// The stream.
        stream: StreamName,
        /// The room.
        room: RoomId,
        /// How many.
        dropped: u64,
    },
}

/// An event on its way, with the frames that it was written into.
#[derive(Debug)]
pub struct LiveEvent {
    /// The event.
    pub event: Event,
    known: Option<u8>,
    frames: Mutex<Vec<(ProtocolId, Option<Bytes>)>>,
}

impl LiveEvent {
    /// An event that has not been written yet.
    #[must_use]
    pub fn new(event: Event) -> Self {
        let known = event.kind.known().and_then(|at| u8::try_from(at).ok());
        Self { event, known, frames: Mutex::default() }
    }

    /// When it was stored, in milliseconds since 1970.
    #[must_use]
    pub fn stored_ms(&self) -> u64 {
        self.event.position.offset.ms
    }

    pub(crate) fn stamp(&self) -> Stamp {
        Stamp { stored_ms: self.stored_ms(), known: self.known }
    }

    pub(crate) fn offset(&self) -> EventOffset {
        self.event.position.offset
    }

    /// Whether it came from this connection, which does not get it back.
    pub(crate) fn is_from(&self, connection: &str) -> bool {
        self.event.metadata.origin.as_deref() == Some(connection)
    }

    /// Its frame, which is written once for all connections of a protocol.
    pub(crate) fn frame(&self, encoder: &dyn Encode) -> Option<Bytes> {
        let mut frames = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        let protocol = encoder.protocol();
        if let Some((_, frame)) = frames.iter().find(|(known, _)| *known == protocol) {
            return frame.clone();
        }
        let frame = encoder.encode(self);
        frames.push((protocol, frame.clone()));
        frame
    }

    /// About how much memory it takes.
    pub(crate) fn weight(&self) -> usize {
        // The frames that will be written are about as long as the event, each.
        2 * (self.event.payload.as_str().len() + self.event.room.as_str().len() + self.event.id.as_str().len()) + 512
    }
}
