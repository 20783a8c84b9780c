//! What the tests of groups work with.

use mainstay_core::api::events::{
    ConsumerName, EventId, EventMetadata, EventOffset, EventType, GroupName, RoomId, StreamName,
};
use mainstay_core::api::{Namespace, RawJson};
use mainstay_core::events::{
    Bury, DeadEvent, EventStore, GroupKey, GroupOutcome, GroupStart, GroupState, GroupStore, LogName, NewEvent,
    Publish, PublishOutcome, Published, Release, TakeEvents, TakeOutcome, Taken, Trimming,
};
use mainstay_core::{Clock, SystemClock};
use mainstay_redis::RedisOptions;
use redis::FromRedisValue;
use redis::aio::ConnectionLike;
use std::sync::Arc;
use std::time::Duration;

/// Streams with their entries, as Redis gives them: names and values of an entry in turn.
type Streams = Vec<(String, Vec<(String, Vec<String>)>)>;

pub const STREAM: &str = "events:chat";
pub const NEVER: Duration = Duration::from_secs(3_600);
pub const AT_ONCE: Duration = Duration::ZERO;

/// One program that works in the group `billing` of the log `chat`.
#[derive(Clone)]
pub struct Worker {
    pub events: Arc<dyn EventStore>,
    pub groups: Arc<dyn GroupStore>,
    pub key: GroupKey,
    pub name: &'static str,
    pub max_len: u32,
    pub trimming: Trimming,
}

impl Worker {
    /// Connects, and makes the group where it is not there.
    pub async fn at(url: &str, name: &'static str) -> Self {
        let stores = mainstay_redis::open(RedisOptions::from_url(url).unwrap()).await.unwrap();
        let stream = StreamName::parse("chat").unwrap();
        let log = LogName { namespace: Namespace::default(), stream, partition: 0 };
        let key = GroupKey { log, group: GroupName::parse("billing").unwrap() };
        let (events, groups) = (stores.events, stores.groups);
        let worker = Self { events, groups, key, name, max_len: 10_000, trimming: Trimming::Count };
        worker.create().await;
        worker
    }

    pub async fn create(&self) -> GroupOutcome {
        self.groups.create_group(&self.key, GroupStart::Oldest, 10).await.unwrap()
    }

    pub fn consumer(&self) -> ConsumerName {
        ConsumerName::parse(self.name).unwrap()
    }

    pub async fn try_publish(&self, ids: &[&str]) -> mainstay_core::Result<PublishOutcome> {
        let publish = Publish {
            log: self.key.log.clone(),
            events: ids.iter().map(|id| event(id)).collect(),
            now: SystemClock.now(),
            max_len: self.max_len,
            max_age: None,
            dedupe: Duration::from_secs(300),
            trimming: self.trimming,
        };
        self.events.publish(publish).await
    }

    pub async fn published(&self, ids: &[&str]) -> Published {
        match self.try_publish(ids).await.unwrap() {
            PublishOutcome::Published(published) => published,
            other @ PublishOutcome::Backlog { .. } => panic!("{other:?}"),
        }
    }

    pub async fn publish(&self, ids: &[&str]) -> Vec<EventOffset> {
        self.published(ids).await.events.into_iter().map(|placed| placed.offset).collect()
    }

    pub async fn fill(&self, count: usize) {
        let ids: Vec<String> = (0..count).map(|number| number.to_string()).collect();
        for ids in ids.chunks(100) {
            self.publish(&ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
        }
    }

    pub fn request(&self, min_idle: Duration) -> TakeEvents {
        let (group, consumer, now) = (self.key.clone(), self.consumer(), SystemClock.now());
        TakeEvents { group, consumer, limit: 100, min_idle, max_deliveries: 100, now }
    }

    pub async fn try_take(&self, min_idle: Duration) -> mainstay_core::Result<TakeOutcome> {
        self.groups.take(self.request(min_idle)).await
    }

    pub async fn taken(&self, take: TakeEvents) -> Taken {
        match self.groups.take(take).await.unwrap() {
            TakeOutcome::Taken(taken) => taken,
            TakeOutcome::NoGroup => panic!("there is no group"),
        }
    }

    /// Ids, and which delivery each was.
    pub async fn take(&self, min_idle: Duration) -> Vec<(String, u32)> {
        let taken = self.taken(self.request(min_idle)).await;
        taken.events.iter().map(|taken| (taken.event.event.id.to_string(), taken.delivery)).collect()
    }

    pub async fn acknowledge(&self, offsets: &[EventOffset]) -> u64 {
        self.groups.acknowledge(&self.key, offsets).await.unwrap()
    }

    pub async fn keep(&self, offsets: &[EventOffset]) -> Vec<EventOffset> {
        self.groups.keep(&self.key, &self.consumer(), offsets, SystemClock.now()).await.unwrap()
    }

    pub async fn release(&self, offset: EventOffset) -> bool {
        let (group, consumer, now) = (self.key.clone(), self.consumer(), SystemClock.now());
        let release = Release { group, consumer, offset, delay: AT_ONCE, min_idle: NEVER, now };
        self.groups.release(release).await.unwrap()
    }

    pub async fn bury(&self, offset: EventOffset) -> bool {
        let (group, consumer, now) = (self.key.clone(), self.consumer(), SystemClock.now());
        self.groups.bury(Bury { group, consumer, offset, reason: "no".into(), now }).await.unwrap()
    }

    pub async fn dead(&self) -> Vec<DeadEvent> {
        self.groups.dead(&self.key, EventOffset::ZERO, 100).await.unwrap()
    }

    pub async fn state(&self) -> GroupState {
        let states = self.groups.groups(&self.key.log, SystemClock.now()).await.unwrap();
        states.into_iter().find(|state| state.group == self.key.group).unwrap()
    }
}

pub fn event(id: &str) -> NewEvent {
    NewEvent {
        id: EventId::parse(id).unwrap(),
        kind: EventType::parse("chat_message").unwrap(),
        room: RoomId::parse("request:42").unwrap(),
        timestamp: SystemClock.now(),
        payload: RawJson::parse("{}").unwrap(),
        metadata: EventMetadata::default(),
    }
}

pub fn nth(delivery: u32, ids: &[&str]) -> Vec<(String, u32)> {
    ids.iter().map(|id| ((*id).to_owned(), delivery)).collect()
}

/// A command as others send it.
pub async fn run<T: FromRedisValue>(direct: &mut impl ConnectionLike, words: &[&str]) -> T {
    redis::cmd(words[0]).arg(&words[1..]).query_async(direct).await.unwrap()
}

/// What another program reads in a group.
pub async fn read_group(
    direct: &mut impl ConnectionLike,
    group: &str,
    consumer: &str,
    count: &str,
) -> Vec<(String, String)> {
    let words = ["XREADGROUP", "GROUP", group, consumer, "COUNT", count, "STREAMS", STREAM, ">"];
    let streams: Option<Streams> = run(direct, &words).await;
    let entries = streams.unwrap_or_default().into_iter().flat_map(|(_, entries)| entries);
    entries.map(|(place, fields)| (place, fields[1].clone())).collect()
}
