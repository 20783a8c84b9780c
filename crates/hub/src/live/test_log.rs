//! A log in memory, and a protocol that is easy to read, for the tests of this module.

use super::event::{Encode, LiveEvent, Notice, ProtocolId};
use async_trait::async_trait;
use bytes::Bytes;
use mainstay_core::Result;
use mainstay_core::api::events::{
    Event, EventGap, EventId, EventMetadata, EventOffset, EventPosition, EventType, RoomId, StreamName,
};
use mainstay_core::api::{Epoch, RawJson, Timestamp};
use mainstay_core::events::{
    EventStore, LogName, LogPage, LogState, NewEvent, Publish, PublishOutcome, PurgeLog, Purged, ReadLog, StoredEvent,
    Tail,
};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

pub(crate) fn epoch(name: &str) -> Epoch {
    Epoch::parse(name).unwrap()
}

pub(crate) fn position(epoch: &str, ms: u64) -> EventPosition {
    EventPosition { epoch: self::epoch(epoch), offset: EventOffset { ms, seq: 0 } }
}

fn new_event(room: &str, kind: &str, n: u64) -> NewEvent {
    NewEvent {
        id: EventId::parse(n.to_string()).unwrap(),
        kind: EventType::parse(kind).unwrap(),
        room: RoomId::parse(room).unwrap(),
        timestamp: Timestamp::from_millis(0),
        payload: RawJson::of(&serde_json::json!({ "n": n })).unwrap(),
        metadata: EventMetadata::default(),
    }
}

/// Event number n, at the offset n-0.
pub(crate) fn event(room: &str, kind: &str, n: u64) -> Arc<LiveEvent> {
    let event = new_event(room, kind, n);
    Arc::new(LiveEvent::new(Event {
        id: event.id,
        kind: event.kind,
        stream: StreamName::parse("chat").unwrap(),
        room: event.room,
        timestamp: event.timestamp,
        payload: event.payload,
        metadata: event.metadata,
        position: position("e", n),
    }))
}

/// Writes `<room> <type> <ms>`.
pub(crate) struct Plain;

impl Encode for Plain {
    fn protocol(&self) -> ProtocolId {
        ProtocolId("plain")
    }

    fn encode(&self, event: &LiveEvent) -> Option<Bytes> {
        let (room, kind) = (event.event.room.as_str(), event.event.kind.as_str());
        Some(format!("{room} {kind} {}", event.stored_ms()).into())
    }

    fn notice(&self, notice: &Notice) -> Option<Bytes> {
        Some(match notice {
            Notice::Gap { room, gap, .. } => format!("gap {} {gap:?}", room.as_str()).into(),
            Notice::Conflated { room, dropped, .. } => format!("conflated {} {dropped}", room.as_str()).into(),
        })
    }
}

pub(crate) fn text(frames: Vec<Bytes>) -> Vec<String> {
    frames.into_iter().map(|frame| String::from_utf8(frame.to_vec()).unwrap()).collect()
}

/// A log that all rooms of one test share.
pub(crate) struct TestLog {
    state: Mutex<(String, Vec<StoredEvent>, EventOffset)>,
    grown: Notify,
    pub reads: AtomicU64,
}

impl TestLog {
    pub(crate) fn new() -> Arc<Self> {
        let state = Mutex::new(("e".into(), Vec::new(), EventOffset::ZERO));
        Arc::new(Self { state, grown: Notify::new(), reads: AtomicU64::new(0) })
    }

    /// Adds event number n.
    pub(crate) fn add(&self, room: &str, n: u64) {
        self.add_as(room, n, n);
    }

    /// Adds an event with the id of event number `id`.
    pub(crate) fn add_as(&self, room: &str, n: u64, id: u64) {
        let event = NewEvent { id: EventId::parse(id.to_string()).unwrap(), ..new_event(room, "said", n) };
        self.state.lock().unwrap().1.push(StoredEvent { offset: EventOffset { ms: n, seq: 0 }, event });
        self.grown.notify_waiters();
    }

    /// Removes all events before number n.
    pub(crate) fn trim(&self, n: u64) {
        let mut state = self.state.lock().unwrap();
        let gone = state.1.iter().take_while(|event| event.offset.ms < n).count();
        state.1.drain(..gone).for_each(drop);
        state.2 = EventOffset { ms: n, seq: 0 };
    }

    /// Begins a new life without any event.
    pub(crate) fn replace(&self, epoch: &str) {
        *self.state.lock().unwrap() = (epoch.into(), Vec::new(), EventOffset::ZERO);
        self.grown.notify_waiters();
    }
}

#[async_trait]
impl EventStore for TestLog {
    async fn publish(&self, _publish: Publish) -> Result<PublishOutcome> {
        unreachable!("tests add events")
    }

    async fn read(&self, read: ReadLog) -> Result<LogPage> {
        self.reads.fetch_add(1, SeqCst);
        let state = self.state.lock().unwrap();
        let own = epoch(&state.0);
        let (after, gap) = match read.after {
            Some((epoch, _)) if epoch != own => (EventOffset::ZERO, Some(EventGap::NewEpoch)),
            Some((_, after)) => {
                let there = state.1.iter().any(|event| event.offset == after);
                (after, (state.2 > after && !there).then_some(EventGap::Trimmed))
            }
            None => (EventOffset::ZERO, None),
        };
        let behind: Vec<StoredEvent> = state.1.iter().filter(|event| event.offset > after).cloned().collect();
        let more = behind.len() > read.limit as usize;
        let events: Vec<StoredEvent> = behind.into_iter().take(read.limit as usize).collect();
        let next = events.last().map_or(after, |event| event.offset);
        Ok(LogPage { epoch: own, events, next, more, gap, unreadable: 0 })
    }

    async fn state(&self, _log: &LogName) -> Result<LogState> {
        let state = self.state.lock().unwrap();
        let (last, first) = (state.1.last().map(|event| event.offset), state.1.first().map(|event| event.offset));
        Ok(LogState { epoch: epoch(&state.0), last: last.unwrap_or(state.2), first, length: state.1.len() as u64 })
    }

    async fn wait(&self, tails: &[Tail], at_most: Duration) -> Result<Vec<LogName>> {
        let grown = self.grown.notified();
        let ahead = self.state.lock().unwrap().1.last().is_some_and(|last| last.offset > tails[0].after);
        if !ahead {
            let _timed_out = tokio::time::timeout(at_most, grown).await;
        }
        Ok(tails.iter().map(|tail| tail.log.clone()).collect())
    }

    async fn purge(&self, _purge: PurgeLog) -> Result<Purged> {
        Ok(Purged::default())
    }
}
