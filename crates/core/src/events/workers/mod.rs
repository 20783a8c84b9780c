//! The rules of working on events in groups.

mod dead;
mod groups;
mod holding;
mod taking;

use super::groups::{GroupKey, GroupStore};
use super::port::{EventStore, LogName};
use super::standing;
use super::streams::Streams;
use crate::error::{Error, Result};
use crate::{Caller, Clock};
use mainstay_api::events::{EventToken, GroupName, StreamName};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

/// What the service stands on.
pub struct WorkerParts {
    /// The logs.
    pub events: Arc<dyn EventStore>,
    /// The groups on them.
    pub groups: Arc<dyn GroupStore>,
    /// The streams.
    pub streams: Arc<Streams>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// Groups of a stream, whose partitions are worked on as one: every operation, for every surface.
pub struct WorkerService {
    events: Arc<dyn EventStore>,
    groups: Arc<dyn GroupStore>,
    streams: Arc<Streams>,
    clock: Arc<dyn Clock>,
    /// Which partition the next take begins with, so that a busy one does not keep the others waiting.
    turn: AtomicUsize,
}

/// A group of a stream.
#[derive(Debug, Clone, Copy)]
pub struct WorkPlace<'a> {
    /// The stream.
    pub stream: &'a StreamName,
    /// The group.
    pub group: &'a GroupName,
}

impl WorkerService {
    /// Groups on a store.
    #[must_use]
    pub fn new(parts: WorkerParts) -> Self {
        let WorkerParts { events, groups, streams, clock } = parts;
        Self { events, groups, streams, clock, turn: AtomicUsize::new(0) }
    }

    /// The group on each log of the stream.
    fn keys(&self, caller: &Caller, place: WorkPlace<'_>) -> Result<Vec<GroupKey>> {
        let options = self.streams.require(place.stream)?;
        let logs = standing::logs(&caller.namespace, place.stream, options);
        Ok(logs.map(|log| GroupKey { log, group: place.group.clone() }).collect())
    }

    /// The group on the log that a token names.
    fn key_of(&self, caller: &Caller, place: WorkPlace<'_>, token: EventToken) -> Result<GroupKey> {
        let partitions = self.streams.require(place.stream)?.partitions;
        if token.partition >= partitions {
            let last = partitions - 1;
            return Err(Error::invalid(format!("token: {token}; the stream has partitions 0 to {last}")));
        }
        let (namespace, stream) = (caller.namespace.clone(), place.stream.clone());
        let log = LogName { namespace, stream, partition: token.partition };
        Ok(GroupKey { log, group: place.group.clone() })
    }
}

fn token_of(log: &LogName, offset: mainstay_api::events::EventOffset) -> EventToken {
    EventToken { partition: log.partition, offset }
}

/// A number of a request, within its bounds.
fn within(field: &str, given: Option<u64>, (usual, least, most): (u64, u64, u64)) -> Result<u64> {
    let value = given.unwrap_or(usual);
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    Err(Error::invalid(format!("{field}: {value} is not between {least} and {most}")))
}
