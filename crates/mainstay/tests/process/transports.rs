//! Publishers that choose between the HTTP bridge and the streams while they publish, against real servers.

use crate::bed::{Bed, SOON, eventually};
use crate::bridge::KEY;
use crate::node::Node;
use mainstay_api::Code;
use mainstay_api::events::{PublishEvent, ReadEvents, RoomId, StreamName, TransportSettings};
use mainstay_client::publisher::{BridgeTransport, Environment, Router, RouterCounts, Sent, StreamTransport};
use mainstay_client::{Client, ClientError, ClientOptions, Credential};
use rustix::process::Signal;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Rooms, each with a publisher of its own.
const ROOMS: usize = 8;
/// Events that go under each of the settings in turn.
const EVENTS_BETWEEN: u64 = 40;
/// Most events of one publisher: the load ends even where a test forgets to end it.
const MAX_EVENTS: usize = 5_000;

fn chat() -> StreamName {
    StreamName::parse("chat").unwrap()
}

fn room(number: usize) -> RoomId {
    RoomId::parse(format!("request:{number}")).unwrap()
}

fn event(room: usize, number: usize) -> PublishEvent {
    serde_json::from_value(json!({
        "id": format!("e-{room}-{number}"), "type": "chat_message", "room": format!("request:{room}"),
        "payload": { "content": number },
    }))
    .unwrap()
}

fn on() -> TransportSettings {
    // Long enough for a busy machine: where it is not the time-out that is tested.
    TransportSettings { use_streams: true, percentage: 100, publish_timeout_ms: 5_000, ..TransportSettings::default() }
}

fn bridge(node: &Node) -> Arc<BridgeTransport> {
    bridge_with(node, KEY)
}

fn bridge_with(node: &Node, key: &str) -> Arc<BridgeTransport> {
    Arc::new(BridgeTransport::connect(&node.url(), Credential::new(key), ClientOptions::default()).unwrap())
}

fn streams(node: &Node) -> Arc<StreamTransport> {
    Arc::new(StreamTransport::new(node.client("publisher", 0)))
}

/// The ids of a room's events, as they stand in the stream.
async fn stored(client: &Client, number: usize) -> Vec<String> {
    let (mut from, mut ids) = (None, Vec::new());
    loop {
        let read = ReadEvents { from, room: Some(room(number)), limit: Some(1_000), ..ReadEvents::default() };
        let page = client.events().read(&chat(), &read).await.unwrap();
        assert_eq!(page.gap, None);
        ids.extend(page.events.into_iter().map(|event| event.id.to_string()));
        if !page.more {
            return ids;
        }
        from = Some(page.position);
    }
}

/// One publisher for each room, which goes on until it is told to stop, and repeats an event until it was taken: it does
/// not begin the next one before.
struct Load {
    done: Arc<AtomicBool>,
    publishers: Vec<JoinHandle<Vec<String>>>,
}

impl Load {
    fn start(router: &Arc<Router>) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let one = |number| tokio::spawn(publish_on(Arc::clone(router), number, Arc::clone(&done)));
        Self { publishers: (0..ROOMS).map(one).collect(), done }
    }

    /// Ends the load, and looks for each event once and in order; says how many there were.
    async fn finish(self, client: &Client) -> u64 {
        self.done.store(true, Ordering::Relaxed);
        let mut published = 0;
        for (number, publisher) in self.publishers.into_iter().enumerate() {
            let sent = tokio::time::timeout(SOON, publisher).await.expect("publishing is bounded").unwrap();
            published += sent.len() as u64;
            assert_eq!(stored(client, number).await, sent, "room {number}: each event once, in order");
        }
        published
    }
}

async fn publish_on(router: Arc<Router>, number: usize, done: Arc<AtomicBool>) -> Vec<String> {
    let mut sent = Vec::new();
    while !done.load(Ordering::Relaxed) && sent.len() < MAX_EVENTS {
        let event = event(number, sent.len());
        sent.push(event.id.as_ref().unwrap().to_string());
        while let Err(error) = router.publish(&chat(), event.clone()).await {
            assert!(error.is_retryable(), "{error}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    sent
}

fn taken(counts: &RouterCounts) -> u64 {
    counts.streams.sent + counts.streams.duplicates + counts.bridge.sent + counts.bridge.duplicates
}

/// Waits until so many more events were taken.
async fn more(router: &Router, events: u64) {
    let enough = taken(&router.counts()) + events;
    eventually("events to be taken", || match router.counts() {
        counts if taken(&counts) >= enough => Ok(()),
        counts => Err(format!("{counts:?}")),
    })
    .await;
}

async fn a_switch_under_load_loses_and_doubles_nothing(bed: Bed) {
    let bed = bed.with("MAINSTAY_BRIDGE_KEY", KEY);
    let node = bed.serve("node").await;
    let (client, url) = (node.client("publisher", 0), node.url());
    let router = Arc::new(Router::new(bridge(&node), streams(&node), TransportSettings::default()));
    let following = router.follow(client.clone(), Duration::from_millis(20));
    let load = Load::start(&router);
    more(&router, EVENTS_BETWEEN).await;
    let (whole, half) = (on(), TransportSettings { percentage: 50, ..on() });
    let twice = TransportSettings { dual_write: true, ..on() };
    let off = TransportSettings { use_streams: false, ..on() };
    let all = ["--streams", "on", "--percentage", "100", "--publish-timeout-ms", "5000"];
    for _ in 0..2 {
        for (said, wanted) in [
            (&all[..], whole),
            (&["--percentage", "50"], half),
            (&["--percentage", "100", "--dual-write", "on"], twice),
            (&["--dual-write", "off"], whole),
            (&["--streams", "off"], off),
        ] {
            bed.json(&[&["events", "transport", "set", "--url", &url], said].concat());
            eventually("the router to follow", || match router.settings() {
                settings if settings == wanted => Ok(()),
                settings => Err(format!("{settings:?}")),
            })
            .await;
            more(&router, EVENTS_BETWEEN).await;
        }
    }
    let published = load.finish(&client).await;
    drop(following);
    let counts = router.counts();
    assert!(counts.streams.sent > 0 && counts.bridge.sent > 0 && counts.dual_writes.both > 0, "{counts:?}");
    assert_eq!(counts.streams.sent + counts.bridge.sent, published, "each event was new to one way: {counts:?}");
    assert_eq!(counts.dual_writes.both, counts.streams.duplicates + counts.bridge.duplicates, "{counts:?}");
    assert_eq!((counts.streams.failed, counts.bridge.failed), (0, 0), "{counts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_switch_under_load_loses_and_doubles_nothing_on_sqlite() {
    a_switch_under_load_loses_and_doubles_nothing(Bed::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_switch_under_load_loses_and_doubles_nothing_on_redis() {
    a_switch_under_load_loses_and_doubles_nothing(Bed::redis().await).await;
}

async fn a_server_that_is_killed_under_load_has_each_event_once_in_the_end(bed: Bed) {
    let bed = bed.with("MAINSTAY_BRIDGE_KEY", KEY);
    let mut node = bed.serve("node").await;
    let half = TransportSettings { percentage: 50, ..on() };
    let router = Arc::new(Router::new(bridge(&node), streams(&node), half));
    let load = Load::start(&router);
    for again in ["again", "once more"] {
        more(&router, EVENTS_BETWEEN).await;
        let port = node.kill();
        let failed = |counts: &RouterCounts| counts.streams.failed > 0 && counts.bridge.failed > 0;
        eventually("publishers to be told", || match router.counts() {
            counts if failed(&counts) => Ok(()),
            counts => Err(format!("{counts:?}")),
        })
        .await;
        node = Node::start(&bed, again, port).await;
    }
    more(&router, EVENTS_BETWEEN).await;
    load.finish(&node.client("reader", 0)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_under_load_has_each_event_once_in_the_end_on_sqlite() {
    a_server_that_is_killed_under_load_has_each_event_once_in_the_end(Bed::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_under_load_has_each_event_once_in_the_end_on_redis() {
    a_server_that_is_killed_under_load_has_each_event_once_in_the_end(Bed::redis().await).await;
}

/// The ids of so many events of room 1.
fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("e-1-{number}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_killed_is_passed_by_over_the_bridge_of_another() {
    let bed = Bed::redis().await.with("MAINSTAY_BRIDGE_KEY", KEY);
    let (first, second) = (bed.serve("first").await, bed.serve("second").await);
    let router = Router::new(bridge(&second), streams(&first), on());
    let mut first = Some(first);
    for number in 0..40 {
        if number == 20 {
            first.take().map(Node::kill);
        }
        router.publish(&chat(), event(1, number)).await.unwrap();
    }
    assert_eq!(stored(&second.client("reader", 0), 1).await, numbered(40));
    let counts = router.counts();
    assert_eq!((counts.streams.sent, counts.bridge.sent), (20, 20), "{counts:?}");
    assert_eq!((counts.fallbacks.connection_lost, counts.fallbacks.timeout), (20, 0), "{counts:?}");

    router.set(TransportSettings { fallback: false, ..on() });
    let refused = router.publish(&chat(), event(1, 40)).await.unwrap_err();
    assert!(matches!(refused, ClientError::Connection { .. }), "{refused}");
    router.set(TransportSettings::default());
    router.publish(&chat(), event(1, 40)).await.unwrap();
    assert_eq!(stored(&second.client("reader", 0), 1).await, numbered(41));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_stands_still_is_passed_by_in_time_and_what_it_does_later_is_no_second_event() {
    let bed = Bed::redis().await.with("MAINSTAY_BRIDGE_KEY", KEY);
    let (mut first, second) = (bed.serve("first").await, bed.serve("second").await);
    let router = Router::new(bridge(&second), streams(&first), on());
    router.publish(&chat(), event(1, 0)).await.unwrap();
    first.process.running.signal(Signal::STOP);
    router.set(TransportSettings { publish_timeout_ms: 100, ..on() });
    let mut stopped = 1;
    // What is on its way when it stops may still be answered.
    while router.counts().fallbacks.timeout < 5 {
        assert!(stopped < 50, "{:?}", router.counts());
        let stream = chat();
        tokio::time::timeout(SOON, router.publish(&stream, event(1, stopped))).await.expect("a bound").unwrap();
        stopped += 1;
    }
    let counts = router.counts();
    assert_eq!((counts.bridge.sent + counts.bridge.duplicates, counts.streams.failed), (5, 5), "{counts:?}");
    first.process.running.signal(Signal::CONT);
    // What the node had been sent before, it reads before this.
    router.set(on());
    for number in 1..=stopped {
        let sent = router.publish(&chat(), event(1, number)).await.unwrap();
        assert_eq!(sent.duplicate, number < stopped, "{number}");
    }
    assert_eq!(stored(&second.client("reader", 0), 1).await, numbered(stopped + 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_both_ways_is_one_event_and_stands_where_one_way_is_closed() {
    for bed in [Bed::sqlite(), Bed::redis().await] {
        let bed = bed.with("MAINSTAY_BRIDGE_KEY", KEY);
        let node = bed.serve("node").await;
        let twice = TransportSettings { dual_write: true, ..on() };
        let router = Router::new(bridge(&node), streams(&node), twice);
        for number in 0..10 {
            // A room that is named as the bridge does not name it is the same one on both ways.
            let event = PublishEvent { room: RoomId::parse("1").unwrap(), ..event(1, number) };
            let sent = router.publish(&chat(), event).await.unwrap();
            assert!(!sent.duplicate && sent.position.is_some(), "{sent:?}");
        }
        let made = router.publish(&chat(), PublishEvent { id: None, ..event(2, 0) }).await.unwrap();
        assert!(!made.duplicate, "an id is made once, for both ways");
        let client = node.client("reader", 0);
        assert_eq!((stored(&client, 1).await, stored(&client, 2).await.len()), (numbered(10), 1));
        let counts = router.counts();
        assert_eq!((counts.dual_writes.both, counts.streams.sent + counts.bridge.sent), (11, 11), "{counts:?}");

        let without_bridge = Router::new(bridge_with(&node, "wrong"), streams(&node), twice);
        without_bridge.publish(&chat(), event(1, 10)).await.unwrap();
        assert_eq!(without_bridge.counts().dual_writes.stream_only, 1);
        let stranger = ClientOptions { credential: Some(Credential::new("nobody")), ..ClientOptions::default() };
        let stranger = StreamTransport::new(Client::connect(&node.url(), stranger).unwrap());
        let without_stream = Router::new(bridge(&node), Arc::new(stranger), twice);
        without_stream.publish(&chat(), event(1, 11)).await.unwrap();
        assert_eq!(without_stream.counts().dual_writes.bridge_only, 1);
        assert_eq!(stored(&client, 1).await, numbered(12));
    }
}

/// Which way an event went.
async fn way(router: &Router, event: PublishEvent) -> &'static str {
    let before = router.counts();
    router.publish(&chat(), event).await.unwrap();
    match router.counts() {
        counts if counts.streams.sent > before.streams.sent => "stream",
        _ => "bridge",
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_of_rooms_is_the_same_rooms_for_every_publisher_and_grows_by_others() {
    let bed = Bed::sqlite().with("MAINSTAY_BRIDGE_KEY", KEY);
    let node = bed.serve("node").await;
    let share = |percentage| Router::new(bridge(&node), streams(&node), TransportSettings { percentage, ..on() });
    let (one, other, larger) = (share(50), share(50), share(80));
    let (mut half, mut most) = (0, 0);
    for room in 0..40 {
        let first = way(&one, event(room, 0)).await;
        assert_eq!(way(&other, event(room, 1)).await, first, "room {room}");
        let then = way(&larger, event(room, 2)).await;
        assert!(first == "bridge" || then == "stream", "room {room} was given back");
        half += u32::from(first == "stream");
        most += u32::from(then == "stream");
    }
    assert!((8..=32).contains(&half) && (half + 4..40).contains(&most), "{half} and {most} of 40");
    let metrics = node.get("/metrics").await.body;
    let line = |way, count| {
        format!(
            "events_published_total{{transport=\"{way}\",event_type=\"chat_message\",status=\"success\"}} {count}\n"
        )
    };
    assert!(metrics.contains(&line("stream", 2 * half + most)), "{metrics}");
    assert!(metrics.contains(&line("http", 120 - 2 * half - most)), "{metrics}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_begins_as_the_variables_of_the_founding_system_say() {
    let bed = Bed::sqlite().with("INTERNAL_API_KEY", KEY);
    let node = bed.serve("node").await;
    let (url, streams) = (node.url(), streams(&node));
    let start = |more: &[(&str, &str)]| {
        let known = [("SIGNALR_INTERNAL_URL", url.as_str()), ("SIGNALR_INTERNAL_API_KEY", KEY)];
        let variables = known.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment = Environment::of(&variables.collect()).unwrap();
        let bridge = BridgeTransport::of_environment(&environment.bridge.unwrap()).unwrap();
        Router::new(Arc::new(bridge), streams.clone(), environment.transport)
    };
    assert_eq!(way(&start(&[]), event(1, 0)).await, "bridge", "nothing else set is as it was");
    let slow = ("EVENT_TRANSPORT_PUBLISH_TIMEOUT_MS", "5000");
    let streamed = ("EVENT_TRANSPORT_USE_REDIS_STREAMS", "true");
    for (number, spelling) in
        ["EVENT_TRANSPORT_REDIS_STREAMS_PERCENTAGE", "EVENT_TRANSPORT_REDIS_PERCENTAGE"].into_iter().enumerate()
    {
        let (all, none) = (start(&[streamed, slow, (spelling, "100")]), start(&[streamed, slow, (spelling, "0")]));
        assert_eq!(way(&all, event(1, 1 + 2 * number)).await, "stream", "{spelling}");
        assert_eq!(way(&none, event(1, 2 + 2 * number)).await, "bridge", "{spelling}");
    }
    let twice =
        start(&[streamed, slow, ("EVENT_TRANSPORT_REDIS_PERCENTAGE", "100"), ("EVENT_TRANSPORT_DUAL_WRITE", "1")]);
    twice.publish(&chat(), event(1, 5)).await.unwrap();
    assert_eq!(twice.counts().dual_writes.both, 1);
    let wrong = start(&[("SIGNALR_INTERNAL_API_KEY", "wrong")]).publish(&chat(), event(1, 6)).await.unwrap_err();
    assert_eq!(wrong.problem().code, Code::Forbidden);
    let port = node.kill();
    let away = start(&[("SIGNALR_RETRY_COUNT", "1"), ("SIGNALR_TIMEOUT_SECONDS", "1")]);
    let refused: Result<Sent, _> =
        tokio::time::timeout(SOON, away.publish(&chat(), event(1, 6))).await.expect("a bound");
    assert!(matches!(refused, Err(ClientError::Connection { .. })), "{refused:?}");
    let node = Node::start(&bed, "again", port).await;
    let client = node.client("reader", 0);
    assert_eq!(stored(&client, 1).await, numbered(6));

    // What somebody sets in the store counts more than what a publisher began with, and holds for all of them.
    let router = Arc::new(start(&[]));
    let following = router.follow(client, Duration::from_millis(20));
    bed.json(&["events", "transport", "set", "--streams", "on", "--percentage", "100", "--url", &node.url()]);
    eventually("the router to follow", || match router.settings() {
        settings if settings.use_streams && settings.percentage == 100 => Ok(()),
        settings => Err(format!("{settings:?}")),
    })
    .await;
    drop(following);
}
