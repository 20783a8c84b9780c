//! What events need from a store: logs that are published to and read from a position.

use super::streams::Trimming;
use crate::error::Result;
use async_trait::async_trait;
use mainstay_api::events::{
    Event, EventGap, EventId, EventMetadata, EventOffset, EventPosition, EventType, RoomId, StreamName,
};
use mainstay_api::{Epoch, Namespace, RawJson, Timestamp};
use std::time::Duration;

/// Bytes of what a page of a log holds, about; at least one event is on it, whatever its size.
pub const MAX_PAGE_BYTES: usize = 1_024 * 1_024;

/// A log: one partition of a stream in a namespace. It is the aggregate of this domain.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogName {
    /// Where.
    pub namespace: Namespace,
    /// The stream.
    pub stream: StreamName,
    /// The partition, from 0.
    pub partition: u16,
}

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Where it stands.
    pub offset: EventOffset,
    /// What was published.
    pub event: NewEvent,
}

impl StoredEvent {
    /// The event as clients and workers get it.
    #[must_use]
    pub fn into_event(self, stream: StreamName, epoch: Epoch) -> Event {
        let Self { offset, event } = self;
        Event {
            id: event.id,
            kind: event.kind,
            stream,
            room: event.room,
            timestamp: event.timestamp,
            payload: event.payload,
            metadata: event.metadata,
            position: EventPosition { epoch, offset },
        }
    }
}

/// An event to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Its id.
    pub id: EventId,
    /// What happened.
    pub kind: EventType,
    /// What it is about.
    pub room: RoomId,
    /// When it happened.
    pub timestamp: Timestamp,
    /// What is said of it, opaque to the store.
    pub payload: RawJson,
    /// How it came about, opaque to the store.
    pub metadata: EventMetadata,
}

/// Events to add to a log.
#[derive(Debug, Clone)]
pub struct Publish {
    /// Where.
    pub log: LogName,
    /// At least one, in their order.
    pub events: Vec<NewEvent>,
    /// The present.
    pub now: Timestamp,
    /// About how many events the log keeps.
    pub max_len: u32,
    /// Events older than this are trimmed.
    pub max_age: Option<Duration>,
    /// How long the ids are remembered.
    pub dedupe: Duration,
    /// What is done for groups that are behind.
    pub trimming: Trimming,
}

/// What became of a publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublishOutcome {
    /// Each event stands in the log, now or from before.
    Published(Published),
    /// Nothing was published: the log is full of events that this group has not read, and they are not to be trimmed.
    Backlog {
        /// The group that is behind.
        group: String,
    },
}

/// Where published events stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The life of the log.
    pub epoch: Epoch,
    /// One for each event, in their order.
    pub events: Vec<Placed>,
    /// How many events this step trimmed that some group had not acknowledged; at least that many where the store trims in
    /// portions of its own.
    pub trimmed_unread: u64,
}

/// Where an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Its place; that of the first one, where it is a repeat.
    pub offset: EventOffset,
    /// Whether it is a repeat.
    pub duplicate: bool,
}

/// Which events to read.
#[derive(Debug, Clone)]
pub struct ReadLog {
    /// From where.
    pub log: LogName,
    /// Behind which event, and in which life of the log; from the oldest kept where absent.
    pub after: Option<(Epoch, EventOffset)>,
    /// Most events to return.
    pub limit: u32,
}

/// Events of a log, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage {
    /// The life of the log.
    pub epoch: Epoch,
    /// The events.
    pub events: Vec<StoredEvent>,
    /// Behind which event to go on: the last one returned or passed over as unreadable, else the place that was
    /// continued, or the end of the log.
    pub next: EventOffset,
    /// Whether more can be read at once.
    pub more: bool,
    /// Set where something behind `after` is gone, or may be: the events returned then begin with the oldest kept.
    pub gap: Option<EventGap>,
    /// Entries of others that could not be read as events and were passed over.
    pub unreadable: u32,
}

/// What a log holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogState {
    /// The life of the log.
    pub epoch: Epoch,
    /// The last place given; zero where none ever was.
    pub last: EventOffset,
    /// The oldest event kept.
    pub first: Option<EventOffset>,
    /// How many events are kept.
    pub length: u64,
}

/// A place in a log from which its tail is awaited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    /// The log.
    pub log: LogName,
    /// What has been seen.
    pub after: EventOffset,
}

/// What to remove from a log.
#[derive(Debug, Clone)]
pub struct PurgeLog {
    /// From where.
    pub log: LogName,
    /// Events stored before this moment are removed; none where absent.
    pub older_than: Option<Timestamp>,
    /// Whether events stay that a group has not acknowledged.
    pub trimming: Trimming,
    /// The present.
    pub now: Timestamp,
}

/// What was removed from a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Purged {
    /// How many events.
    pub events: u64,
    /// How many of these some group had not acknowledged.
    pub unread: u64,
}

/// Logs of events in a store.
///
/// A log may also be written by others, in the store's own form (a Redis stream with the fields `event_id`, `event_type`,
/// `timestamp`, `room_id`, `payload`, `metadata`): what they add is read as any other event, under the same order. Their
/// repeats are not recognised by the store; who delivers recognises them by the event's id.
#[async_trait]
pub trait EventStore: Send + Sync {
    /// Adds events behind the last one, in their order, all or none, in one atomic step; remembers their ids in the same step,
    /// and trims what exceeds the bounds. An id that is remembered is not added again, within one publication as well.
    /// Wakes who awaits the tail. Running it twice is running it once, within the window of the ids.
    async fn publish(&self, publish: Publish) -> Result<PublishOutcome>;

    /// Reads events behind a position. It is continued without a gap exactly where nothing behind it has been removed: a store
    /// that cannot tell answers with a gap.
    async fn read(&self, read: ReadLog) -> Result<LogPage>;

    /// What a log holds, and where it ends. Gives the log its epoch, where it has none yet.
    async fn state(&self, log: &LogName) -> Result<LogState>;

    /// Waits until one of the logs may hold something behind its place, at most for the given time, and names those logs;
    /// none, where the time passed. It may name a log for nothing. What was published by others counts as well.
    /// Uses no connection that others wait for. Given up half-way, it leaves nothing behind.
    async fn wait(&self, tails: &[Tail], at_most: Duration) -> Result<Vec<LogName>>;

    /// Removes what is older than a moment, and ids whose window has passed. The oldest events go first, so that what is
    /// left has no holes.
    async fn purge(&self, purge: PurgeLog) -> Result<Purged>;
}
