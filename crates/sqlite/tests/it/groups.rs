//! Consumer groups of several stores that are open on one file.

use crate::letters::open;
use mainstay_core::api::events::{
    ConsumerName, EventId, EventMetadata, EventOffset, EventType, GroupName, RoomId, StreamName,
};
use mainstay_core::api::{Namespace, RawJson};
use mainstay_core::events::{
    GroupKey, GroupOutcome, GroupStart, LogName, NewEvent, Publish, TakeEvents, TakeOutcome, TakenEvent, Trimming,
};
use mainstay_core::{Clock, Stores, SystemClock};
use std::collections::BTreeSet;
use std::time::Duration;

const NEVER: Duration = Duration::from_secs(3_600);
const EVENTS: usize = 200;

fn key() -> GroupKey {
    let (namespace, stream) = (Namespace::default(), StreamName::parse("chat").unwrap());
    let log = LogName { namespace, stream, partition: 0 };
    GroupKey { log, group: GroupName::parse("billing").unwrap() }
}

async fn publish(stores: &Stores) {
    for batch in 0..EVENTS / 20 {
        let event = |number: usize| NewEvent {
            id: EventId::parse(format!("{batch} {number}")).unwrap(),
            kind: EventType::parse("chat_message").unwrap(),
            room: RoomId::parse("request:42").unwrap(),
            timestamp: SystemClock.now(),
            payload: RawJson::parse("{}").unwrap(),
            metadata: EventMetadata::default(),
        };
        let publish = Publish {
            log: key().log,
            events: (0..20).map(event).collect(),
            now: SystemClock.now(),
            max_len: 10_000,
            max_age: None,
            dedupe: Duration::from_secs(300),
            trimming: Trimming::Count,
        };
        stores.events.publish(publish).await.unwrap();
    }
}

async fn take(stores: &Stores, consumer: &str, min_idle: Duration) -> Vec<TakenEvent> {
    let consumer = ConsumerName::parse(consumer).unwrap();
    let now = SystemClock.now();
    let take = TakeEvents { group: key(), consumer, limit: 7, min_idle, max_deliveries: 9, now };
    match stores.groups.take(take).await.unwrap() {
        TakeOutcome::Taken(taken) => taken.events,
        TakeOutcome::NoGroup => panic!("there is no group"),
    }
}

/// Works until nothing is left; every third event stays in its hands.
async fn work(stores: Stores, name: String) -> Vec<EventOffset> {
    let mut seen = Vec::new();
    loop {
        let taken = take(&stores, &name, NEVER).await;
        if taken.is_empty() {
            return seen;
        }
        assert!(taken.iter().all(|taken| taken.delivery == 1), "{taken:?}");
        let offsets: Vec<_> = taken.iter().map(|taken| taken.event.offset).collect();
        let done: Vec<_> = offsets.iter().enumerate().filter(|(n, _)| n % 3 > 0).map(|(_, offset)| *offset).collect();
        assert_eq!(stores.groups.acknowledge(&key(), &done).await.unwrap(), done.len() as u64);
        seen.extend(offsets);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_on_several_open_stores_share_a_group_and_one_that_opens_the_file_later_inherits() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("mainstay.db");
    let stores = [open(&database).await.unwrap(), open(&database).await.unwrap(), open(&database).await.unwrap()];
    let created = stores[0].groups.create_group(&key(), GroupStart::Oldest, 10).await.unwrap();
    assert_eq!(created, GroupOutcome::Created);
    publish(&stores[1]).await;
    let work = stores.iter().enumerate().map(|(number, stores)| work(stores.clone(), format!("worker {number}")));
    let seen = futures::future::join_all(work).await.concat();
    assert_eq!(seen.len(), EVENTS, "each event went to one of them");
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), EVENTS);
    for stores in stores {
        stores.probe.close().await;
    }

    let heir = open(&database).await.unwrap();
    let state = heir.groups.groups(&key().log, SystemClock.now()).await.unwrap().remove(0);
    let held = state.pending;
    assert_eq!((state.lag, state.consumers.iter().map(|(_, holds)| holds).sum::<u64>()), (0, held));
    let mut inherited = 0;
    loop {
        let taken = take(&heir, "heir", Duration::ZERO).await;
        if taken.is_empty() {
            break;
        }
        assert!(taken.iter().all(|taken| taken.delivery == 2), "{taken:?}");
        let offsets: Vec<_> = taken.iter().map(|taken| taken.event.offset).collect();
        inherited += heir.groups.acknowledge(&key(), &offsets).await.unwrap();
    }
    assert_eq!(inherited, held);
}
