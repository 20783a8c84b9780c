//! Events of one room that are delivered in one go, put one behind the other once for all connections of a protocol.

use super::event::{Encode, LiveEvent, ProtocolId};
use super::meter::Stamp;
use bytes::{Bytes, BytesMut};
use mainstay_core::api::events::{EventOffset, RoomId};
use std::sync::Arc;

/// About how much memory the events of a burst take at most: what waits for a connection is taken out burst by burst.
const MAX_BYTES: usize = 128 * 1_024;

/// Events of a room that follow one another in the log, one at least.
pub(super) struct Burst {
    events: Vec<Arc<LiveEvent>>,
    bytes: usize,
    joined: Vec<(ProtocolId, Option<Joined>)>,
}

/// The frames of a burst as one.
#[derive(Clone)]
pub(super) struct Joined {
    pub bytes: Bytes,
    /// Of each event in it.
    pub stamps: Arc<[Stamp]>,
}

impl Burst {
    pub(super) fn new(event: Arc<LiveEvent>) -> Self {
        Self { bytes: event.weight(), events: vec![event], joined: Vec::new() }
    }

    /// Adds the next event of the log, where it belongs here; else gives it back.
    pub(super) fn add(&mut self, event: Arc<LiveEvent>) -> Option<Arc<LiveEvent>> {
        if event.event.room != *self.room() || self.bytes + event.weight() > MAX_BYTES {
            return Some(event);
        }
        self.bytes += event.weight();
        self.events.push(event);
        None
    }

    pub(super) fn room(&self) -> &RoomId {
        &self.events[0].event.room
    }

    /// Whether all of it is behind a place.
    pub(super) fn is_behind(&self, offset: EventOffset) -> bool {
        self.events[0].offset() > offset
    }

    /// The events behind a place.
    pub(super) fn after(&self, offset: EventOffset) -> &[Arc<LiveEvent>] {
        let first = self.events.partition_point(|event| event.offset() <= offset);
        &self.events[first..]
    }

    /// Whether all of it is for a connection: its own events do not come back to it.
    pub(super) fn is_all_for(&self, connection: &str) -> bool {
        self.events.iter().all(|event| !event.is_from(connection))
    }

    /// Its frames as one, made once for all connections of a protocol; none where the protocol tells nothing of it.
    pub(super) fn joined(&mut self, encoder: &dyn Encode) -> Option<Joined> {
        let protocol = encoder.protocol();
        if let Some((_, joined)) = self.joined.iter().find(|(known, _)| *known == protocol) {
            return joined.clone();
        }
        let mut bytes = BytesMut::with_capacity(self.bytes);
        let mut stamps = Vec::with_capacity(self.events.len());
        for event in &self.events {
            if let Some(frame) = event.frame(encoder) {
                bytes.extend_from_slice(&frame);
                stamps.push(event.stamp());
            }
        }
        let joined = (!stamps.is_empty()).then(|| Joined { bytes: bytes.freeze(), stamps: stamps.into() });
        self.joined.push((protocol, joined.clone()));
        joined
    }
}
