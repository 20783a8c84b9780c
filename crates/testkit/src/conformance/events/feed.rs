//! What the cases of events write with: a log, and short words for long structures.

use crate::conformance::Bed;
use mainstay_core::api::events::{EventId, EventMetadata, EventOffset, EventType, RoomId, StreamName};
use mainstay_core::api::{Epoch, Namespace, RawJson, Timestamp};
use mainstay_core::events::{
    EventStore, LogName, LogPage, LogState, NewEvent, Publish, PublishOutcome, Published, PurgeLog, Purged, ReadLog,
    Tail, Trimming,
};
use mainstay_core::{Clock, SystemClock};
use std::sync::Arc;
use std::time::Duration;

/// A log that nobody else uses.
#[derive(Clone)]
pub(in crate::conformance) struct Feed {
    pub events: Arc<dyn EventStore>,
    pub log: LogName,
    pub max_len: u32,
    pub dedupe: Duration,
    pub trimming: Trimming,
    /// The present: the real one, because a store may place events by its own clock.
    pub now: Timestamp,
}

impl Feed {
    pub fn new(bed: &Bed) -> Self {
        Self::of(bed, bed.namespace())
    }

    pub fn of(bed: &Bed, namespace: Namespace) -> Self {
        let stream = StreamName::parse("chat").expect("a name");
        Self {
            events: bed.stores().events.clone(),
            log: LogName { namespace, stream, partition: 0 },
            max_len: 10_000,
            dedupe: Duration::from_secs(300),
            trimming: Trimming::Count,
            now: SystemClock.now(),
        }
    }

    pub fn partition(&self, partition: u16) -> Self {
        Self { log: LogName { partition, ..self.log.clone() }, ..self.clone() }
    }

    pub fn later(&self, millis: i64) -> Self {
        Self { now: Timestamp::from_millis(self.now.as_millis() + millis), ..self.clone() }
    }

    pub async fn outcome(&self, events: Vec<NewEvent>) -> PublishOutcome {
        let publish = Publish {
            log: self.log.clone(),
            events,
            now: self.now,
            max_len: self.max_len,
            max_age: None,
            dedupe: self.dedupe,
            trimming: self.trimming,
        };
        self.events.publish(publish).await.expect("publish")
    }

    pub async fn publish(&self, ids: &[&str]) -> Published {
        match self.outcome(ids.iter().map(|id| event(id)).collect()).await {
            PublishOutcome::Published(published) => published,
            PublishOutcome::Backlog { group } => panic!("there is no group {group}"),
        }
    }

    pub async fn read(&self, after: Option<(Epoch, EventOffset)>, limit: u32) -> LogPage {
        self.events.read(ReadLog { log: self.log.clone(), after, limit }).await.expect("read")
    }

    pub async fn ids(&self) -> Vec<String> {
        ids(&self.read(None, 1_000).await)
    }

    pub async fn state(&self) -> LogState {
        self.events.state(&self.log).await.expect("state")
    }

    /// Removes what was stored before a moment, and says how many events went.
    pub async fn purge(&self, older_than: Timestamp) -> u64 {
        self.purged(older_than).await.events
    }

    pub async fn purged(&self, older_than: Timestamp) -> Purged {
        let (log, older_than) = (self.log.clone(), Some(older_than));
        let purge = PurgeLog { log, older_than, trimming: self.trimming, now: self.now };
        self.events.purge(purge).await.expect("purge")
    }

    pub fn tail(&self, after: EventOffset) -> Tail {
        Tail { log: self.log.clone(), after }
    }
}

pub(super) fn ids(page: &LogPage) -> Vec<String> {
    page.events.iter().map(|stored| stored.event.id.to_string()).collect()
}

pub(in crate::conformance) fn event(id: &str) -> NewEvent {
    NewEvent {
        id: EventId::parse(id).expect("an id"),
        kind: EventType::parse("chat_message").expect("a type"),
        room: RoomId::parse("request:42").expect("a room"),
        timestamp: Timestamp::from_millis(1_768_557_600_123),
        payload: RawJson::parse(r#"{"b":12345678901234567890123,"a":[]}"#).expect("JSON"),
        metadata: EventMetadata::default(),
    }
}
