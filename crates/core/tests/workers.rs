//! The rules of working on events in groups, and of looking at them, on the model.

use mainstay_core::api::events::{
    AcknowledgeWork, BuryWork, ConsumerName, CreateGroup, DeadWork, EventMetadata, EventToken, GroupFrom, GroupName,
    KeepWork, ListDead, MAX_REASON_BYTES, PublishEvent, PublishEvents, ReleaseWork, Standing, StreamName, TakeWork,
    TakenWork,
};
use mainstay_core::api::{Code, Namespace, RawJson, Subject, Timestamp};
use mainstay_core::events::{
    EventObserver, EventParts, EventService, EventStore, LogName, PurgeLog, StreamOptions, Streams, Trimming,
    WorkPlace, WorkerParts, WorkerService,
};
use mainstay_core::{Caller, Clock, FakeClock, Principal, RandomMint, Result, Scope};
use mainstay_testkit::model;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

struct Plant {
    workers: Arc<WorkerService>,
    observer: EventObserver,
    events: EventService,
    store: Arc<dyn EventStore>,
    clock: Arc<FakeClock>,
    stream: StreamName,
    group: GroupName,
}

/// The group `g`, made from the oldest event on, of a stream with so many partitions.
async fn plant(partitions: u16) -> Plant {
    let plant = bare(partitions);
    assert!(plant.create(GroupFrom::Oldest).await.unwrap());
    plant
}

fn bare(partitions: u16) -> Plant {
    let stores = model::stores();
    let clock = Arc::new(FakeClock::at(1_800_000_000_000));
    let stream = StreamName::parse("work").unwrap();
    let mut streams = Streams::default();
    streams.set(stream.clone(), StreamOptions { partitions, ..StreamOptions::usual(&stream) }).unwrap();
    let streams = Arc::new(streams);
    let workers = WorkerService::new(WorkerParts {
        events: stores.events.clone(),
        groups: stores.groups.clone(),
        streams: streams.clone(),
        clock: clock.clone(),
    });
    let store = stores.events.clone();
    let observer = EventObserver::new(stores.events.clone(), stores.groups, streams.clone(), clock.clone());
    let events = EventService::new(EventParts {
        events: stores.events,
        rooms: stores.rooms,
        transport: stores.transport,
        streams,
        clock: clock.clone(),
        mint: Arc::new(RandomMint),
    });
    let group = GroupName::parse("g").unwrap();
    Plant { workers: Arc::new(workers), observer, events, store, clock, stream, group }
}

impl Plant {
    fn place(&self) -> WorkPlace<'_> {
        WorkPlace { stream: &self.stream, group: &self.group }
    }

    async fn create(&self, from: GroupFrom) -> Result<bool> {
        Ok(self.workers.create(&Caller::owner(), self.place(), CreateGroup { from }).await?.created)
    }

    /// Publishes an event for each room; each has its room as id.
    async fn publish(&self, rooms: &[&str]) {
        let event = |room: &&str| PublishEvent {
            id: Some(room.parse().unwrap()),
            kind: "job".parse().unwrap(),
            room: room.parse().unwrap(),
            timestamp: None,
            payload: RawJson::parse("{}").unwrap(),
            metadata: EventMetadata::default(),
        };
        let publish = PublishEvents { events: rooms.iter().map(event).collect() };
        self.events.publish(&Caller::owner(), &self.stream, None, publish).await.unwrap();
    }

    async fn try_take(&self, take: TakeWork) -> Result<TakenWork> {
        self.workers.take(&Caller::owner(), self.place(), take, std::future::pending()).await
    }

    async fn take(&self, consumer: &str, limit: u32) -> Vec<(String, u32, EventToken)> {
        let taken = self.try_take(TakeWork { limit: Some(limit), ..by(consumer) }).await.unwrap();
        taken.events.into_iter().map(|work| (work.event.id.to_string(), work.delivery, work.token)).collect()
    }

    async fn take_one(&self, consumer: &str) -> (String, u32, EventToken) {
        self.take(consumer, 1).await.pop().expect("an event")
    }

    async fn acknowledge(&self, tokens: Vec<EventToken>) -> u64 {
        let done = AcknowledgeWork { tokens };
        self.workers.acknowledge(&Caller::owner(), self.place(), &done).await.unwrap().acknowledged
    }

    async fn dead(&self, list: ListDead) -> (Vec<DeadWork>, Option<String>) {
        let page = self.workers.dead(&Caller::owner(), self.place(), list).await.unwrap();
        (page.items, page.next)
    }
}

fn consumer(name: &str) -> ConsumerName {
    ConsumerName::parse(name).unwrap()
}

fn by(name: &str) -> TakeWork {
    TakeWork { consumer: consumer(name), limit: None, wait_ms: None, idle_ms: None, max_deliveries: None }
}

fn only(scopes: &[Scope]) -> Caller {
    let subject = Subject::local("7");
    let principal = Principal::Token(subject.clone());
    Caller { principal, subject, scopes: scopes.iter().copied().collect(), ..Caller::owner() }
}

#[tokio::test]
async fn every_event_goes_to_one_consumer_and_is_gone_once_acknowledged() {
    let plant = plant(1).await;
    plant.publish(&["a", "b", "c"]).await;
    let (first, second) = (plant.take("one", 2).await, plant.take("two", 2).await);
    let ids = |taken: &[(String, u32, EventToken)]| taken.iter().map(|(id, ..)| id.clone()).collect::<Vec<_>>();
    assert_eq!((ids(&first), ids(&second)), (vec!["a".into(), "b".into()], vec!["c".to_owned()]));
    assert!(first.iter().all(|(_, delivery, token)| *delivery == 1 && token.partition == 0));
    let tokens: Vec<_> = first.iter().chain(&second).map(|(.., token)| *token).collect();
    assert_eq!(plant.acknowledge(tokens.clone()).await, 3);
    assert_eq!(plant.acknowledge(tokens).await, 0, "twice is once");
    plant.clock.advance(3_600_000);
    assert_eq!(plant.take("three", 10).await, []);
}

#[tokio::test]
async fn partitions_are_worked_on_as_one_and_none_keeps_the_others_waiting() {
    let plant = plant(8).await;
    let rooms: Vec<String> = (0..64).map(|n| format!("room-{n}")).collect();
    plant.publish(&rooms.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let (mut seen, mut partitions) = (BTreeSet::new(), BTreeSet::new());
    for nth in 0..64 {
        let (id, delivery, token) = plant.take_one("one").await;
        assert_eq!(delivery, 1);
        seen.insert(id);
        if nth < 8 {
            partitions.insert(token.partition);
        }
        assert_eq!(plant.acknowledge(vec![token]).await, 1);
    }
    assert_eq!(seen.len(), 64);
    assert!(partitions.len() > 4, "eight takes began with {partitions:?} alone");
    assert_eq!(plant.take("one", 10).await, []);
    let list = plant.workers.list(&Caller::owner(), &plant.stream).await.unwrap();
    assert_eq!((list.groups.len(), list.groups[0].lag, list.groups[0].pending), (1, 0, 0));
    let names: Vec<_> = list.groups[0].consumers.iter().map(|consumer| consumer.name.as_str()).collect();
    assert_eq!(names, ["one"], "a consumer of eight partitions is one consumer");
}

#[tokio::test]
async fn what_is_left_alone_goes_to_another_consumer_and_what_is_kept_does_not() {
    let plant = plant(1).await;
    plant.publish(&["a", "b"]).await;
    let taken = plant.take("one", 2).await;
    let kept = KeepWork { consumer: consumer("one"), tokens: vec![taken[0].2] };
    plant.clock.advance(59_000);
    assert_eq!(plant.take("two", 10).await, []);
    let still = plant.workers.keep(&Caller::owner(), plant.place(), kept.clone()).await.unwrap();
    assert_eq!(still.kept, kept.tokens);
    plant.clock.advance(1_000);
    let claimed = plant.take("two", 10).await;
    assert_eq!(claimed, [("b".to_owned(), 2, taken[1].2)]);
    let late = KeepWork { consumer: consumer("one"), tokens: vec![taken[0].2, taken[1].2] };
    let still = plant.workers.keep(&Caller::owner(), plant.place(), late).await.unwrap();
    assert_eq!(still.kept, [taken[0].2], "the other one is not its own any more");
}

#[tokio::test]
async fn a_poison_event_is_tried_again_with_pauses_dies_and_comes_back_revived() {
    let plant = plant(4).await;
    plant.publish(&["poison"]).await;
    let mut token = None;
    for delivery in 1..=3 {
        let (id, nth, of) = plant.take_one("one").await;
        assert_eq!((id.as_str(), nth), ("poison", delivery));
        token = Some(of);
        let release = ReleaseWork { consumer: consumer("one"), token: of, delay_ms: Some(5_000), idle_ms: None };
        assert!(plant.workers.release(&Caller::owner(), plant.place(), release).await.unwrap().released);
        plant.clock.advance(4_999);
        assert_eq!(plant.take("one", 1).await, [], "it is left alone for as long as it was said");
        plant.clock.advance(1);
    }
    let taken = plant.try_take(TakeWork { max_deliveries: Some(3), ..by("two") }).await.unwrap();
    assert_eq!((taken.events.len(), taken.buried), (0, 1));
    let (dead, next) = plant.dead(ListDead::default()).await;
    assert_eq!((dead.len(), dead[0].event.id.as_str(), dead[0].deliveries, next), (1, "poison", 3, None));
    assert_eq!(Some(dead[0].token), token);
    let caller = Caller::owner();
    assert!(plant.workers.revive(&caller, plant.place(), dead[0].token).await.unwrap().changed);
    assert!(!plant.workers.revive(&caller, plant.place(), dead[0].token).await.unwrap().changed);
    assert_eq!(plant.take("two", 1).await, [("poison".to_owned(), 1, dead[0].token)]);
    let bury = |reason: String| BuryWork { consumer: consumer("two"), token: dead[0].token, reason };
    let too_long = plant.workers.bury(&caller, plant.place(), bury("x".repeat(MAX_REASON_BYTES + 1))).await;
    assert_eq!(too_long.unwrap_err().code(), Code::InvalidRequest);
    assert!(plant.workers.bury(&caller, plant.place(), bury("no use".into())).await.unwrap().buried);
    assert_eq!(plant.dead(ListDead::default()).await.0[0].reason, "no use");
    assert!(plant.workers.forget(&caller, plant.place(), dead[0].token).await.unwrap().changed);
    assert_eq!(plant.dead(ListDead::default()).await.0, []);
}

#[tokio::test]
async fn the_dead_are_listed_over_partitions_page_by_page() {
    let plant = plant(8).await;
    let rooms: Vec<String> = (0..20).map(|n| format!("room-{n}")).collect();
    plant.publish(&rooms.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for (_, _, token) in plant.take("one", 100).await {
        let bury = BuryWork { consumer: consumer("one"), token, reason: "r".into() };
        assert!(plant.workers.bury(&Caller::owner(), plant.place(), bury).await.unwrap().buried);
    }
    let (mut seen, mut cursor, mut pages) = (Vec::new(), None, 0);
    loop {
        let (dead, next) = plant.dead(ListDead { limit: Some(7), cursor }).await;
        seen.extend(dead.iter().map(|dead| dead.token));
        pages += 1;
        let Some(next) = next else { break };
        cursor = Some(next.parse().unwrap());
    }
    let mut sorted = seen.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!((seen.len(), pages), (20, 3));
    assert_eq!(seen, sorted, "in the order of partitions and places, and none twice");
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_with_the_next_event_with_its_time_and_with_a_stop() {
    let plant = Arc::new(plant(4).await);
    let wait = |ms| TakeWork { wait_ms: Some(ms), ..by("one") };
    assert_eq!(plant.try_take(wait(700)).await.unwrap(), TakenWork::default());
    let waiting = tokio::spawn({
        let (plant, take) = (plant.clone(), wait(60_000));
        async move { plant.try_take(take).await }
    });
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(!waiting.is_finished());
    plant.publish(&["a"]).await;
    let taken = waiting.await.unwrap().unwrap();
    assert_eq!(taken.events[0].event.id.as_str(), "a");
    let (caller, stop) = (Caller::owner(), tokio::time::sleep(Duration::from_secs(3)));
    let stopped = plant.workers.take(&caller, plant.place(), wait(60_000), stop);
    let stopped = tokio::time::timeout(Duration::from_secs(4), stopped).await.expect("the stop ends it");
    assert_eq!(stopped.unwrap(), TakenWork::default());
}

#[tokio::test(start_paused = true)]
async fn a_wait_behind_events_that_are_gone_is_a_wait_and_ends_with_the_next_one() {
    let plant = Arc::new(plant(1).await);
    plant.publish(&["a", "b"]).await;
    let log = LogName { namespace: Namespace::default(), stream: plant.stream.clone(), partition: 0 };
    let now = plant.clock.now();
    let older_than = Some(Timestamp::from_millis(now.as_millis() + 1));
    let purge = PurgeLog { log, older_than, trimming: Trimming::Count, now };
    assert_eq!(plant.store.purge(purge).await.unwrap().events, 2);
    let waiting = tokio::spawn({
        let plant = plant.clone();
        async move { plant.try_take(TakeWork { wait_ms: Some(60_000), ..by("one") }).await }
    });
    // Under a clock that stands still while anything runs, this ends only where the take rests.
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(!waiting.is_finished());
    plant.publish(&["c"]).await;
    assert_eq!(waiting.await.unwrap().unwrap().events[0].event.id.as_str(), "c");
}

#[tokio::test(start_paused = true)]
async fn a_wait_finds_what_becomes_free_without_anybody_saying_so() {
    let plant = Arc::new(plant(1).await);
    plant.publish(&["a"]).await;
    plant.take("one", 1).await;
    let waiting = tokio::spawn({
        let plant = plant.clone();
        async move { plant.try_take(TakeWork { wait_ms: Some(30_000), ..by("two") }).await }
    });
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(!waiting.is_finished());
    plant.clock.advance(60_000);
    let taken = tokio::time::timeout(Duration::from_secs(5), waiting).await.expect("long before the wait is over");
    let taken = taken.unwrap().unwrap();
    assert_eq!((taken.events[0].event.id.as_str(), taken.events[0].delivery), ("a", 2));
}

#[tokio::test]
async fn a_group_begins_where_it_was_told_to() {
    let plant = bare(1);
    plant.publish(&["a", "b", "c"]).await;
    let page = plant.events.read(&Caller::owner(), &plant.stream, Default::default()).await.unwrap();
    let behind = page.events[1].position.clone();
    assert!(plant.create(GroupFrom::After(behind.clone())).await.unwrap());
    assert!(!plant.create(GroupFrom::Oldest).await.unwrap(), "one that is there is unchanged");
    assert_eq!(plant.take("one", 10).await[0].0, "c");
    let ahead = "x:1-1".parse().unwrap();
    assert_eq!(plant.create(GroupFrom::After(ahead)).await.unwrap_err().code(), Code::InvalidRequest);
    let several = bare(2);
    assert_eq!(several.create(GroupFrom::After(behind)).await.unwrap_err().code(), Code::InvalidRequest);
    assert!(several.create(GroupFrom::New).await.unwrap());
}

#[tokio::test]
async fn each_verb_needs_its_scope_and_keeps_its_bounds() {
    let plant = plant(1).await;
    plant.publish(&["a"]).await;
    let (caller, place) = (only(&[Scope::EventsConsume]), plant.place());
    let forbidden = plant.workers.create(&caller, place, CreateGroup::default()).await.unwrap_err();
    assert_eq!(forbidden.code(), Code::Forbidden);
    assert_eq!(plant.workers.remove(&caller, place).await.unwrap_err().code(), Code::Forbidden);
    let reader = only(&[Scope::EventsRead, Scope::EventsAdmin]);
    let refused = plant.workers.take(&reader, place, by("one"), std::future::pending()).await;
    assert_eq!(refused.unwrap_err().code(), Code::Forbidden);
    for broken in [
        TakeWork { limit: Some(0), ..by("one") },
        TakeWork { limit: Some(101), ..by("one") },
        TakeWork { wait_ms: Some(60_001), ..by("one") },
        TakeWork { idle_ms: Some(99), ..by("one") },
        TakeWork { max_deliveries: Some(0), ..by("one") },
    ] {
        assert_eq!(plant.try_take(broken.clone()).await.unwrap_err().code(), Code::InvalidRequest, "{broken:?}");
    }
    let nowhere: EventToken = "1:1-1".parse().unwrap();
    for tokens in [vec![], vec![nowhere], vec!["0:1-1".parse().unwrap(); 101]] {
        let refused = plant.workers.acknowledge(&caller, place, &AcknowledgeWork { tokens }).await;
        assert_eq!(refused.unwrap_err().code(), Code::InvalidRequest);
    }
    let other = GroupName::parse("nobody").unwrap();
    let nobody = WorkPlace { group: &other, ..place };
    let unknown = plant.workers.take(&caller, nobody, by("one"), std::future::pending()).await.unwrap_err();
    assert_eq!(unknown.code(), Code::EventGroupUnknown);
    let unknown = plant.workers.dead(&caller, nobody, ListDead::default()).await.unwrap_err();
    assert_eq!(unknown.code(), Code::EventGroupUnknown);
}

#[tokio::test]
async fn lag_is_added_up_over_partitions_and_says_how_a_stream_stands() {
    let plant = plant(4).await;
    let caller = Caller::owner();
    let health = plant.observer.health(&caller).await.unwrap();
    assert_eq!((health.status, health.streams.len()), (Standing::Healthy, 8));
    let rooms: Vec<String> = (0..100).map(|n| format!("room-{n}")).collect();
    plant.publish(&rooms.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let lag = plant.observer.consumer_lag(&caller).await.unwrap();
    assert_eq!((lag.status, lag.total_lag, lag.groups.len()), (Standing::Degraded, 100, 1));
    plant.take("one", 1).await;
    plant.clock.advance(2_000);
    let group = &plant.observer.consumer_lag(&caller).await.unwrap().groups[0];
    assert_eq!((group.status, group.lag, group.pending), (Standing::Healthy, 99, 1));
    assert_eq!((group.oldest_pending_ms, group.consumers.as_slice()), (Some(2_000), &[consumer("one")][..]));
    let health = plant.observer.health(&caller).await.unwrap();
    let work = health.streams.iter().find(|stream| stream.stream == plant.stream).unwrap();
    assert_eq!((work.length, work.max_lag, work.last_event_at.is_some()), (100, 99, true));
    assert_eq!(plant.observer.health(&only(&[])).await.unwrap_err().code(), Code::Forbidden);
}
