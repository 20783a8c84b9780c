//! What only Redis can do to logs of events: others who write to the stream, delete it or read it in groups, and a server
//! that stops, breaks the link or loses its last second.

use mainstay_core::api::errors::Code;
use mainstay_core::api::events::{EventGap, EventId, EventMetadata, EventOffset, EventType, RoomId, StreamName};
use mainstay_core::api::{Epoch, Namespace, RawJson};
use mainstay_core::events::{
    EventStore, LogName, LogPage, NewEvent, Publish, PublishOutcome, Published, PurgeLog, Purged, ReadLog, Tail,
    Trimming,
};
use mainstay_core::{Clock, SystemClock};
use mainstay_redis::RedisOptions;
use mainstay_testkit::fixtures::{FaultProxy, RedisCluster, RedisServer};
use redis::FromRedisValue;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use std::sync::Arc;
use std::time::Duration;

/// Streams with their entries, as Redis gives them: names and values of an entry in turn.
type Streams = Vec<(String, Vec<(String, Vec<String>)>)>;

const STREAM: &str = "events:chat";
/// Far longer than any wait takes that ends with an event.
const LONG: Duration = Duration::from_secs(20);
const MOMENT: Duration = Duration::from_millis(200);

/// The log `chat` of the default namespace, whose stream others call `events:chat`.
#[derive(Clone)]
struct Desk {
    events: Arc<dyn EventStore>,
    log: LogName,
    max_len: u32,
    trimming: Trimming,
}

impl Desk {
    async fn at(url: &str) -> Self {
        let stores = mainstay_redis::open(RedisOptions::from_url(url).unwrap()).await.unwrap();
        let stream = StreamName::parse("chat").unwrap();
        let log = LogName { namespace: Namespace::default(), stream, partition: 0 };
        Self { events: stores.events, log, max_len: 10_000, trimming: Trimming::Count }
    }

    async fn try_publish(&self, ids: &[&str]) -> mainstay_core::Result<PublishOutcome> {
        let publish = Publish {
            log: self.log.clone(),
            events: ids.iter().map(|id| event(id)).collect(),
            now: SystemClock.now(),
            max_len: self.max_len,
            max_age: None,
            dedupe: Duration::from_secs(300),
            trimming: self.trimming,
        };
        self.events.publish(publish).await
    }

    async fn publish(&self, ids: &[&str]) -> Published {
        match self.try_publish(ids).await.unwrap() {
            PublishOutcome::Published(published) => published,
            other @ PublishOutcome::Backlog { .. } => panic!("{other:?}"),
        }
    }

    async fn fill(&self, from: usize, count: usize) {
        let ids: Vec<String> = (from..from + count).map(|number| number.to_string()).collect();
        for ids in ids.chunks(100) {
            self.publish(&ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
        }
    }

    async fn read(&self, after: Option<(Epoch, EventOffset)>) -> LogPage {
        self.events.read(ReadLog { log: self.log.clone(), after, limit: 1_000 }).await.unwrap()
    }

    async fn beginning(&self) -> Option<(Epoch, EventOffset)> {
        let state = self.events.state(&self.log).await.unwrap();
        Some((state.epoch, state.last))
    }

    async fn wait(&self, after: EventOffset, at_most: Duration) -> mainstay_core::Result<Vec<LogName>> {
        self.events.wait(&[Tail { log: self.log.clone(), after }], at_most).await
    }
}

fn event(id: &str) -> NewEvent {
    NewEvent {
        id: EventId::parse(id).unwrap(),
        kind: EventType::parse("chat_message").unwrap(),
        room: RoomId::parse("request:42").unwrap(),
        timestamp: SystemClock.now(),
        payload: RawJson::parse("{}").unwrap(),
        metadata: EventMetadata::default(),
    }
}

fn ids(page: &LogPage) -> Vec<&str> {
    page.events.iter().map(|stored| stored.event.id.as_str()).collect()
}

/// A command as others send it.
async fn run<T: FromRedisValue>(direct: &mut impl ConnectionLike, words: &[&str]) -> T {
    redis::cmd(words[0]).arg(&words[1..]).query_async(direct).await.unwrap()
}

/// What a backend of the founding system does.
async fn add(direct: &mut impl ConnectionLike, id: &str) -> String {
    let fields = ["event_id", id, "event_type", "chat_message", "room_id", "request:42", "payload", "{\"a\":1.0}"];
    run(direct, &[&["XADD", STREAM, "*"], &fields[..]].concat()).await
}

#[tokio::test]
async fn what_others_add_is_read_in_order_and_wakes_who_waits() {
    let server = RedisServer::start().await.unwrap();
    let (desk, mut direct) = (Desk::at(&server.url()).await, server.connection().await.unwrap());
    let beginning = desk.beginning().await;
    desk.publish(&["ours"]).await;
    let theirs = add(&mut direct, "theirs").await;
    let nothing: String = run(&mut direct, &["XADD", STREAM, "*", "hello", "world"]).await;
    let page = desk.read(beginning).await;
    assert_eq!((ids(&page), page.gap, page.unreadable), (vec!["ours", "theirs"], None, 1));
    assert_eq!((page.events[1].offset.to_string(), page.next.to_string()), (theirs, nothing));
    assert_eq!(page.events[1].event.payload.as_str(), "{\"a\":1.0}");

    let wait = tokio::spawn({
        let (desk, after) = (desk.clone(), page.next);
        async move { desk.wait(after, LONG).await }
    });
    tokio::time::sleep(MOMENT).await;
    assert!(!wait.is_finished());
    add(&mut direct, "later").await;
    assert_eq!(wait.await.unwrap().unwrap(), std::slice::from_ref(&desk.log));
    let next = desk.read(Some((page.epoch, page.next))).await;
    assert_eq!((ids(&next), next.gap), (vec!["later"], None));
}

#[tokio::test]
async fn what_we_add_is_what_others_expect_to_read() {
    let server = RedisServer::start().await.unwrap();
    let (desk, mut direct) = (Desk::at(&server.url()).await, server.connection().await.unwrap());
    let () = run(&mut direct, &["XGROUP", "CREATE", STREAM, "signalr-consumers", "0", "MKSTREAM"]).await;
    desk.publish(&["a"]).await;
    let group = ["XREADGROUP", "GROUP", "signalr-consumers", "one", "COUNT", "10", "STREAMS", STREAM, ">"];
    let read: Streams = run(&mut direct, &group).await;
    let fields = &read[0].1[0].1;
    let names: Vec<&str> = fields.chunks(2).map(|pair| pair[0].as_str()).collect();
    assert_eq!(names, ["event_id", "event_type", "timestamp", "room_id", "payload"]);
    let time = &fields[5];
    assert!(time.ends_with("+00:00") && time.contains('T'), "{time}");
    assert_eq!((fields[1].as_str(), fields[9].as_str()), ("a", "{}"));
}

#[tokio::test]
async fn a_cluster_notices_what_others_add() {
    let cluster = RedisCluster::start().await.unwrap();
    let desk = Desk::at(&cluster.url()).await;
    let mut direct = cluster.connection().await.unwrap();
    let wait = tokio::spawn({
        let desk = desk.clone();
        async move { desk.wait(EventOffset::ZERO, LONG).await }
    });
    tokio::time::sleep(MOMENT).await;
    add(&mut direct, "theirs").await;
    assert_eq!(wait.await.unwrap().unwrap(), std::slice::from_ref(&desk.log));
}

#[tokio::test]
async fn a_stream_that_others_delete_is_a_new_life_or_a_gap_and_never_silence() {
    let server = RedisServer::start().await.unwrap();
    let (desk, mut direct) = (Desk::at(&server.url()).await, server.connection().await.unwrap());
    let beginning = desk.beginning().await;
    let first = desk.publish(&["a", "b", "c"]).await;
    let places: Vec<_> = first.events.iter().map(|placed| Some((first.epoch.clone(), placed.offset))).collect();

    // Nobody of ours looks between the deletion and what others add.
    let _: u64 = run(&mut direct, &["DEL", STREAM]).await;
    add(&mut direct, "d").await;
    for place in places.iter().chain([&beginning]) {
        let page = desk.read(place.clone()).await;
        assert!(page.gap.is_some(), "{place:?}");
        assert_eq!(ids(&page), ["d"]);
    }
    let page = desk.read(None).await;
    assert_ne!(page.epoch, first.epoch, "this server counts what was added, so it is known for a new life");

    let _: u64 = run(&mut direct, &["DEL", STREAM]).await;
    let gone = desk.read(Some((page.epoch, page.next))).await;
    assert_eq!((gone.gap, ids(&gone), gone.next), (Some(EventGap::NewEpoch), vec![], EventOffset::ZERO));
    let again = desk.publish(&["a"]).await;
    assert!(!again.events[0].duplicate, "what was deleted may be published again");
    let after = desk.read(Some((gone.epoch, gone.next))).await;
    assert_eq!((after.gap, ids(&after)), (None, vec!["a"]));
}

#[tokio::test]
async fn what_others_trim_or_delete_within_a_stream_is_a_gap() {
    let server = RedisServer::start().await.unwrap();
    let (desk, mut direct) = (Desk::at(&server.url()).await, server.connection().await.unwrap());
    let beginning = desk.beginning().await;
    let first = desk.publish(&["a", "b", "c", "d"]).await;
    let place = |at: usize| Some((first.epoch.clone(), first.events[at].offset));
    let _: u64 = run(&mut direct, &["XTRIM", STREAM, "MAXLEN", "2"]).await;
    for (after, gap, kept) in [(beginning, true, 2), (place(0), true, 2), (place(2), false, 1), (place(3), false, 0)] {
        let page = desk.read(after.clone()).await;
        assert_eq!((page.gap, page.events.len()), (gap.then_some(EventGap::Trimmed), kept), "{after:?}");
        assert_eq!(page.epoch, first.epoch);
    }
    let _: u64 = run(&mut direct, &["XDEL", STREAM, &first.events[3].offset.to_string()]).await;
    let end = desk.read(place(3)).await;
    assert_eq!((end.gap, end.events.len()), (None, 0), "nothing was ever behind the last place");
}

#[tokio::test]
async fn a_server_that_lost_its_last_second_says_so_to_who_was_ahead() {
    let server = RedisServer::start().await.unwrap();
    let (desk, mut direct) = (Desk::at(&server.url()).await, server.connection().await.unwrap());
    let kept = desk.publish(&["kept"]).await;
    let _: String = run(&mut direct, &["SAVE"]).await;
    let lost = desk.publish(&["lost"]).await;
    server.kill();
    server.restart().await.unwrap();
    let ahead = Some((lost.epoch.clone(), lost.events[0].offset));
    let page = desk.read(ahead.clone()).await;
    assert_eq!((page.gap.is_some(), ids(&page)), (true, vec!["kept"]));
    let behind = desk.read(Some((kept.epoch.clone(), kept.events[0].offset))).await;
    assert_eq!((behind.gap, ids(&behind)), (None, vec![]), "who had not seen what was lost misses nothing");
    let again = desk.publish(&["lost"]).await;
    assert!(!again.events[0].duplicate, "its id was lost with it");
    assert!(again.events[0].offset > lost.events[0].offset, "no place is given twice");
    assert!(desk.read(ahead).await.gap.is_some());
}

#[tokio::test]
async fn a_link_that_is_cut_before_or_after_the_script_publishes_once() {
    let server = RedisServer::start().await.unwrap();
    let proxy = FaultProxy::in_front_of(server.port()).await.unwrap();
    let desk = Desk::at(&format!("redis://127.0.0.1:{}", proxy.port())).await;
    desk.publish(&["warm up"]).await;
    proxy.cut_before_command("EVALSHA", 1);
    assert!(!desk.publish(&["before"]).await.events[0].duplicate);
    proxy.cut_after_command("EVALSHA", 1);
    let after = desk.publish(&["after"]).await;
    assert!(after.events[0].duplicate, "the second run finds what the first one stored");
    assert_eq!(proxy.cuts(), 2);
    let page = desk.read(None).await;
    assert_eq!(ids(&page), ["warm up", "before", "after"]);
    assert_eq!(page.events[2].offset, after.events[0].offset);
}

#[tokio::test]
async fn a_server_that_stops_ends_a_wait_and_its_return_is_noticed() {
    let server = RedisServer::start().await.unwrap();
    let desk = Desk::at(&server.url()).await;
    let last = desk.publish(&["a"]).await.events[0].offset;
    let wait = tokio::spawn({
        let desk = desk.clone();
        async move { desk.wait(last, LONG).await }
    });
    tokio::time::sleep(MOMENT).await;
    server.stop().await.unwrap();
    let ended = tokio::time::timeout(LONG, wait).await.expect("the wait ends").unwrap();
    assert!(ended.is_err() || ended.is_ok_and(|logs| logs.len() <= 1));
    let error = desk.try_publish(&["b"]).await.unwrap_err();
    assert_eq!(error.code(), Code::StoreUnavailable);

    server.restart().await.unwrap();
    let published = async {
        loop {
            match desk.try_publish(&["b"]).await {
                Ok(_) => return,
                Err(_) => tokio::time::sleep(MOMENT).await,
            }
        }
    };
    tokio::time::timeout(LONG, published).await.expect("the server is back");
    let woken = async {
        loop {
            if let Ok(logs) = desk.wait(EventOffset::ZERO, LONG).await {
                return logs;
            }
        }
    };
    assert_eq!(tokio::time::timeout(LONG, woken).await.expect("the wait works again"), std::slice::from_ref(&desk.log));
}

/// A group that has read this many events and acknowledged some of them.
async fn group(direct: &mut MultiplexedConnection, name: &str, read: usize, acknowledged: usize) {
    let () = run(direct, &["XGROUP", "CREATE", STREAM, name, "0"]).await;
    let count = read.to_string();
    let read: Streams =
        run(direct, &["XREADGROUP", "GROUP", name, "one", "COUNT", &count, "STREAMS", STREAM, ">"]).await;
    let places: Vec<&str> = read[0].1.iter().take(acknowledged).map(|(id, _)| id.as_str()).collect();
    let _: u64 = run(direct, &[&["XACK", STREAM, name], &places[..]].concat()).await;
}

#[tokio::test]
async fn what_is_trimmed_before_a_group_has_acknowledged_it_is_counted() {
    let server = RedisServer::start().await.unwrap();
    let (desk, mut direct) = (Desk::at(&server.url()).await, server.connection().await.unwrap());
    let desk = Desk { max_len: 100, ..desk };
    desk.fill(0, 100).await;
    group(&mut direct, "quick", 100, 100).await;
    assert_eq!(desk.publish(&["a"]).await.trimmed_unread, 0, "all had been acknowledged");
    group(&mut direct, "slow", 10, 5).await;
    // Of the next ten oldest, five were acknowledged by everybody.
    let ten: Vec<String> = (0..10).map(|number| format!("ten {number}")).collect();
    let ten = desk.publish(&ten.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(ten.trimmed_unread, 5);
    let purge = PurgeLog {
        log: desk.log.clone(),
        older_than: Some(SystemClock.now()),
        trimming: Trimming::Refuse,
        now: SystemClock.now(),
    };
    assert_eq!(desk.events.purge(purge.clone()).await.unwrap(), Purged::default(), "what is unread stays");
    let purged = desk.events.purge(PurgeLog { trimming: Trimming::Count, ..purge }).await.unwrap();
    assert!(purged.events > 80 && purged.unread == purged.events, "{purged:?}");
}

#[tokio::test]
async fn a_log_that_must_not_lose_what_a_group_lacks_refuses_when_it_is_full() {
    let server = RedisServer::start().await.unwrap();
    let (desk, mut direct) = (Desk::at(&server.url()).await, server.connection().await.unwrap());
    let desk = Desk { max_len: 100, trimming: Trimming::Refuse, ..desk };
    desk.fill(0, 100).await;
    group(&mut direct, "billing", 3, 2).await;
    desk.publish(&["fits", "too"]).await;
    let refused = desk.try_publish(&["not"]).await.unwrap();
    assert_eq!(refused, PublishOutcome::Backlog { group: "billing".into() });
    assert!(desk.publish(&["fits"]).await.events[0].duplicate, "a repeat needs no room");
    let page = desk.read(None).await;
    assert_eq!((page.events.len(), ids(&page)[0]), (100, "2"), "nothing was added and nothing went");
    let _: u64 = run(&mut direct, &["XACK", STREAM, "billing", &page.events[0].offset.to_string()]).await;
    desk.publish(&["not"]).await;
    let page = desk.read(None).await;
    assert_eq!((page.events.len(), ids(&page)[0]), (100, "3"));
}
