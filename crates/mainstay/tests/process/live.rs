//! Live events while nodes are killed, while Redis is killed, fails over or stands still, and beside clients that do not
//! read: who watches a room has every event of it, once and in its order, or was told that something is missing.

use crate::bed::{Bed, eventually};
use crate::node::Node;
use crate::watchers::{Seen, Watcher, open};
use futures::SinkExt;
use mainstay_api::RawJson;
use mainstay_api::events::{
    EventId, EventMetadata, EventType, PublishEvent, PublishEvents, ReadEvents, RoomId, StreamName,
};
use mainstay_client::Client;
use mainstay_testkit::fixtures::{RedisClusterOptions, RedisSentinel};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;

const ROOMS: [&str; 3] = ["request:1", "request:2", "request:3"];
/// How long a call may be repeated: longer than any of the outages here.
const RETRY_FOR_MS: u64 = 40_000;
/// The code of a server that closes a connection because it reads too slowly (`events.connection_too_slow`).
const TOO_SLOW: u16 = 4_529;

fn chat() -> StreamName {
    StreamName::parse("chat").unwrap()
}

fn event(room: &str, n: u64, filling: usize) -> PublishEvent {
    PublishEvent {
        id: Some(EventId::parse(format!("{room}-{n}")).unwrap()),
        kind: EventType::parse("said").unwrap(),
        room: RoomId::parse(room).unwrap(),
        timestamp: None,
        payload: RawJson::of(&json!({ "n": n, "filling": "x".repeat(filling) })).unwrap(),
        metadata: EventMetadata::default(),
    }
}

/// Publishes to every room, numbered from 1, until it is told to stop.
struct Talk {
    stop: Arc<AtomicBool>,
    told: Arc<AtomicU64>,
    task: JoinHandle<u64>,
}

impl Talk {
    fn start(client: Client) -> Self {
        let (stop, told) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let (stopped, count) = (Arc::clone(&stop), Arc::clone(&told));
        let task = tokio::spawn(async move {
            let mut n = 0;
            while !stopped.load(SeqCst) {
                n += 1;
                let events = ROOMS.map(|room| event(room, n, 0)).to_vec();
                client.events().publish(&chat(), &PublishEvents { events }, None).await.unwrap();
                count.store(n, SeqCst);
                tokio::time::sleep(Duration::from_millis(4)).await;
            }
            n
        });
        Self { stop, told, task }
    }

    /// Waits until every room has so many more events.
    async fn more(&self, more: u64) {
        let enough = self.told.load(SeqCst) + more;
        eventually("events to be published", || {
            let told = self.told.load(SeqCst);
            if told >= enough { Ok(()) } else { Err(format!("{told} of {enough}")) }
        })
        .await;
    }

    /// Stops, and says which number was the last.
    async fn finish(self) -> u64 {
        self.stop.store(true, SeqCst);
        self.task.await.unwrap()
    }
}

/// What a store has of a room: the number of the event at each position.
async fn stored(client: &Client, room: &str) -> BTreeMap<String, u64> {
    let mut read = ReadEvents { room: Some(RoomId::parse(room).unwrap()), limit: Some(1_000), ..ReadEvents::default() };
    let mut all = BTreeMap::new();
    loop {
        let page = client.events().read(&chat(), &read).await.unwrap();
        for event in page.events {
            let payload: serde_json::Value = event.payload.read().unwrap();
            all.insert(event.position.to_string(), payload["n"].as_u64().unwrap());
        }
        if !page.more {
            return all;
        }
        read.from = Some(page.position);
    }
}

/// Two nodes on one store, somebody who talks at the first, and who watches every room at each.
struct Pair {
    nodes: [Node; 2],
    talk: Talk,
    watchers: [Watcher; 2],
}

impl Pair {
    async fn start(bed: &Bed) -> Self {
        let nodes = [bed.serve("one").await, bed.serve("two").await];
        let talk = Talk::start(nodes[0].client("talker", RETRY_FOR_MS));
        let watchers = [Watcher::start(&[nodes[0].port], &ROOMS).await, Watcher::start(&[nodes[1].port], &ROOMS).await];
        Self { nodes, talk, watchers }
    }

    /// Whoever watches has everything that the store kept.
    async fn finish(self) {
        let last = self.talk.finish().await;
        for room in ROOMS {
            let stored = stored(&self.nodes[1].client("me", RETRY_FOR_MS), room).await;
            for watcher in &self.watchers {
                assert_complete(&watcher.until(room, last).await, &stored);
            }
        }
    }
}

/// Every event of a room is there once, and in its order.
fn assert_all(seen: &Seen, first: u64, last: u64) {
    let numbers = seen.numbers();
    let wrong = numbers.iter().zip(first..).find(|(number, expected)| **number != *expected);
    assert_eq!((wrong, numbers.len() as u64), (None, last + 1 - first));
}

/// Whoever was told of no gap has all that is stored; what it has besides was lost by Redis after it was delivered.
fn assert_complete(seen: &Seen, stored: &BTreeMap<String, u64>) {
    let from = seen.gaps.last().map_or(0, |(at, _)| *at);
    let had: BTreeMap<&String, u64> = seen.events[from..].iter().map(|(n, position)| (position, *n)).collect();
    assert_eq!(had.len(), seen.events.len() - from, "an event was delivered twice: {:?}", seen.numbers());
    let first = seen.events.get(from).map_or(0, |(n, _)| *n);
    for (position, n) in stored.iter().filter(|(_, n)| **n >= first) {
        assert_eq!(
            had.get(position),
            Some(n),
            "{n} at {position} is stored, and was not delivered; gaps: {:?}",
            seen.gaps
        );
    }
    assert!(seen.events[from..].is_sorted_by_key(|(n, _)| *n), "{:?}", seen.numbers());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_client_has_every_event_in_order_though_a_node_is_killed_under_load() {
    let bed = Bed::redis().await;
    let (one, two) = (bed.serve("one").await, bed.serve("two").await);
    let talk = Talk::start(one.client("talker", RETRY_FOR_MS));
    let mut watchers = Vec::new();
    for n in 0..10 {
        let ports = if n % 2 == 0 { [one.port, two.port] } else { [two.port, one.port] };
        watchers.push(Watcher::start(&ports, &ROOMS).await);
    }
    talk.more(60).await;
    let port = two.kill();
    talk.more(60).await;
    // It comes back, and who was there before may return to it.
    let _two = Node::start(&bed, "two-again", port).await;
    talk.more(60).await;
    let last = talk.finish().await;
    for (n, watcher) in watchers.iter().enumerate() {
        for room in ROOMS {
            let seen = watcher.until(room, last).await;
            let first = seen.numbers()[0];
            assert_all(&seen, first, last);
            assert_eq!(seen.gaps, [], "client {n} in {room}");
        }
        let times = if n % 2 == 0 { 1 } else { 2 };
        watcher.arrived(times).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_killed_or_stands_still_costs_no_client_an_event_that_it_kept() {
    let bed = Bed::redis().await;
    let pair = Pair::start(&bed).await;
    pair.talk.more(60).await;
    bed.server().pause().unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    bed.server().resume().unwrap();
    pair.talk.more(60).await;
    bed.server().kill();
    tokio::time::sleep(Duration::from_millis(500)).await;
    bed.server().restart().await.unwrap();
    pair.talk.more(60).await;
    pair.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_go_on_with_the_new_master_after_a_fail_over() {
    let sentinel = RedisSentinel::start().await.unwrap();
    let bed = Bed::elsewhere(sentinel.url());
    let pair = Pair::start(&bed).await;
    pair.talk.more(60).await;
    sentinel.kill_master().await.unwrap();
    sentinel.wait_failover().await.unwrap();
    pair.talk.more(60).await;
    pair.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_go_on_though_each_server_of_a_cluster_goes_and_comes_back() {
    let cluster = RedisClusterOptions::new().aof().start().await.unwrap();
    let bed = Bed::elsewhere(cluster.url());
    let pair = Pair::start(&bed).await;
    pair.talk.more(40).await;
    // Each in turn: whichever has the stream.
    for server in cluster.nodes() {
        server.kill();
        tokio::time::sleep(Duration::from_millis(500)).await;
        server.restart().await.unwrap();
        cluster.wait_ok().await.unwrap();
        pair.talk.more(40).await;
    }
    pair.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_client_in_ten_that_does_not_read_is_told_to_come_back_and_harms_nobody() {
    let bed = Bed::sqlite();
    let node = bed.serve("node").await;
    let mut watchers = Vec::new();
    for _ in 0..18 {
        watchers.push(Watcher::start(&[node.port], &ROOMS[..1]).await);
    }
    let wish = json!({ "op": "subscribe", "stream": "chat", "room": ROOMS[0] }).to_string();
    let mut sleepers = Vec::new();
    for _ in 0..2 {
        let mut socket = open(node.port).await.unwrap();
        socket.send(Message::text(wish.clone())).await.unwrap();
        sleepers.push(socket);
    }
    let client = node.client("talker", RETRY_FOR_MS);
    let subscribed = |text: &str| text.contains("mainstay_event_subscriptions 20\n");
    while !subscribed(&node.get("/metrics").await.body) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // More than a queue and the buffers of a socket hold.
    let last = 4_000;
    for first in (1..last).step_by(100) {
        let events = (first..first + 100).map(|n| event(ROOMS[0], n, 4_000)).collect();
        client.events().publish(&chat(), &PublishEvents { events }, None).await.unwrap();
    }
    for watcher in &watchers {
        let seen = watcher.until(ROOMS[0], last).await;
        assert_all(&seen, 1, last);
        assert!(watcher.closed().is_empty(), "who reads is not closed: {:?}", watcher.closed());
    }
    for mut socket in sleepers {
        let end = loop {
            match futures::StreamExt::next(&mut socket).await {
                Some(Ok(Message::Close(frame))) => break frame.map(|frame| u16::from(frame.code)),
                Some(Ok(_)) => {}
                // One that took nothing at all for too long is cut, perhaps within a frame.
                Some(Err(_)) | None => break None,
            }
        };
        assert!(matches!(end, None | Some(TOO_SLOW)), "{end:?}");
    }
    let slow = r#"mainstay_event_slow_closed_total{transport="websocket"} 2"#;
    while !node.get("/metrics").await.body.contains(slow) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn the_top_of_a_node_tells_who_listens_and_what_was_delivered() {
    let bed = Bed::sqlite();
    let node = bed.serve("node").await;
    let watcher = Watcher::start(&[node.port], &ROOMS).await;
    let events = ROOMS.map(|room| event(room, 1, 0)).to_vec();
    node.client("talker", 0).events().publish(&chat(), &PublishEvents { events }, None).await.unwrap();
    watcher.until(ROOMS[2], 1).await;
    let url = node.url();
    let looks = bed.run(&["events", "top", "--times", "2", "--every", "200ms", "--json", "--url", &url]);
    let said = String::from_utf8_lossy(&looks.stdout).into_owned();
    let looks: Vec<serde_json::Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seen = &looks[1]["node"];
    assert_eq!((&seen["connections"], &seen["subscriptions"]), (&json!(1), &json!(3)), "{said}");
    assert_eq!((&seen["published"], &seen["delivered"]), (&json!(3), &json!(3)), "{said}");
    assert_eq!((&seen["logs"][0]["stream"], &seen["logs"][0]["behind_ms"]), (&json!("chat"), &json!(0)), "{said}");
    assert_eq!((&looks[0]["rates"], &looks[1]["rates"]["delivered"]), (&json!(null), &json!(0.0)), "{said}");
    let shown = bed.run(&["events", "top", "--times", "1", "--url", &url]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("1 connections, 3 subscriptions") && shown.contains("chat\thealthy\t3"), "{shown}");
    let refused = bed.run(&["events", "top", "--every", "1ms"]);
    assert_eq!(refused.status.code(), Some(2), "{}", String::from_utf8_lossy(&refused.stderr));
}
