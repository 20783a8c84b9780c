//! The rules of events.

mod choosing;
mod publishing;
mod purging;
mod reading;

pub use publishing::PublishReport;

use super::access::{self, Admitted};
use super::port::{EventStore, LogName};
use super::rooms::{RoomKey, RoomStore};
use super::streams::{StreamOptions, Streams};
use super::transport::TransportStore;
use crate::error::Result;
use crate::{Caller, Clock, Mint};
use mainstay_api::events::{RoomId, StreamName};
use std::sync::Arc;

/// What the service stands on.
pub struct EventParts {
    /// The logs.
    pub events: Arc<dyn EventStore>,
    /// Who may be in rooms.
    pub rooms: Arc<dyn RoomStore>,
    /// How publishers choose their transport.
    pub transport: Arc<dyn TransportStore>,
    /// The streams.
    pub streams: Arc<Streams>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub mint: Arc<dyn Mint>,
}

/// Events: publishing and reading, for every surface.
pub struct EventService {
    events: Arc<dyn EventStore>,
    rooms: Arc<dyn RoomStore>,
    transport: Arc<dyn TransportStore>,
    streams: Arc<Streams>,
    clock: Arc<dyn Clock>,
    mint: Arc<dyn Mint>,
}

impl EventService {
    /// Events on a store.
    #[must_use]
    pub fn new(parts: EventParts) -> Self {
        let EventParts { events, rooms, transport, streams, clock, mint } = parts;
        Self { events, rooms, transport, streams, clock, mint }
    }

    /// The streams.
    #[must_use]
    pub fn streams(&self) -> &Arc<Streams> {
        &self.streams
    }

    /// The options of a stream.
    ///
    /// # Errors
    /// `events.stream_unknown`, with the names that there are.
    pub fn stream(&self, name: &StreamName) -> Result<&StreamOptions> {
        self.streams.require(name)
    }

    /// The log that the events of a room are in.
    ///
    /// # Errors
    /// `events.stream_unknown`.
    pub fn log_of(&self, room: &RoomKey) -> Result<LogName> {
        let partition = self.stream(&room.stream)?.partition_of(&room.room);
        Ok(LogName { namespace: room.namespace.clone(), stream: room.stream.clone(), partition })
    }

    /// Refuses a caller that may not subscribe to a room of its namespace.
    ///
    /// # Errors
    /// `events.stream_unknown`, `events.room_forbidden`, `auth.forbidden`.
    pub async fn admit(&self, caller: &Caller, stream: &StreamName, room: &RoomId) -> Result<Admitted> {
        let options = self.stream(stream)?;
        let key = RoomKey { namespace: caller.namespace.clone(), stream: stream.clone(), room: room.clone() };
        access::admit(caller, &key, options, self.rooms.as_ref(), self.clock.now()).await
    }
}
