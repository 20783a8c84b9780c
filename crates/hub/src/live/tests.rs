//! Live delivery on a log in memory.

use super::test_log::{Plain, TestLog, position, text};
use super::*;
use mainstay_core::api::Namespace;
use mainstay_core::api::events::{EventGap, RoomId, StreamName};
use mainstay_core::events::{Overflow, StreamOptions};
use std::sync::atomic::Ordering::SeqCst;

const SOON: Duration = Duration::from_secs(20);

struct Bed {
    log: Arc<TestLog>,
    live: Live,
}

impl Bed {
    fn new() -> Self {
        Self::with(LiveOptions::default(), Overflow::Close)
    }

    fn with(options: LiveOptions, overflow: Overflow) -> Self {
        let log = TestLog::new();
        let mut streams = Streams::default();
        let chat = stream();
        streams.set(chat.clone(), StreamOptions { overflow, ..StreamOptions::usual(&chat) }).unwrap();
        let live = Live::new(Arc::clone(&log) as Arc<dyn EventStore>, Arc::new(streams), options);
        Self { log, live }
    }

    fn outlet(&self, connection: &str, limit_bytes: usize) -> (Outlet, Drain) {
        self.live.outlet(OutletParts {
            connection: connection.into(),
            encoder: Arc::new(Plain),
            limit_bytes,
            meter: Arc::new(()),
        })
    }

    async fn subscribe(&self, outlet: &Outlet, room: &str, from: Option<EventPosition>) -> Pending {
        self.live.subscribe(outlet, key(room), from).await.unwrap()
    }
}

fn stream() -> StreamName {
    StreamName::parse("chat").unwrap()
}

fn key(room: &str) -> RoomKey {
    RoomKey { namespace: Namespace::default(), stream: stream(), room: RoomId::parse(room).unwrap() }
}

/// The next frames, as many as asked for.
async fn next(drain: &mut Drain, count: usize) -> Vec<String> {
    let mut got = Vec::new();
    while got.len() < count {
        let batch = tokio::time::timeout(SOON, drain.batch(count - got.len(), 1_000_000)).await.expect("in time");
        got.extend(text(batch.unwrap()));
    }
    got
}

fn said(room: &str, numbers: impl IntoIterator<Item = u64>) -> Vec<String> {
    numbers.into_iter().map(|n| format!("{room} said {n}")).collect()
}

#[tokio::test]
async fn what_is_new_reaches_every_subscriber_of_the_room_and_nobody_else() {
    let bed = Bed::new();
    bed.log.add("a", 1);
    let (first, mut first_drain) = bed.outlet("1", 10_000);
    let (second, mut second_drain) = bed.outlet("2", 10_000);
    let _a = bed.subscribe(&first, "a", None).await.begin();
    let _b = bed.subscribe(&second, "b", None).await.begin();
    let _c = bed.subscribe(&second, "a", None).await.begin();
    bed.log.add("a", 2);
    bed.log.add("b", 3);
    bed.log.add("a", 4);
    assert_eq!(next(&mut first_drain, 2).await, said("a", [2, 4]));
    assert_eq!(next(&mut second_drain, 3).await, ["a said 2", "b said 3", "a said 4"]);
    assert_eq!(bed.live.counts().deliveries, 5);
    assert_eq!(bed.live.logs(), 1);
}

#[tokio::test]
async fn a_position_is_continued_from_memory_without_hole_or_repeat() {
    let bed = Bed::new();
    (1..=50).for_each(|n| bed.log.add(if n % 2 == 0 { "a" } else { "b" }, n));
    let (outlet, mut drain) = bed.outlet("1", 10_000);
    let pending = bed.subscribe(&outlet, "a", Some(position("e", 10))).await;
    assert_eq!((pending.position.clone(), pending.gap), (position("e", 10), None));
    let reads = bed.log.reads.load(SeqCst);
    let subscription = pending.begin();
    bed.log.add("a", 52);
    assert_eq!(next(&mut drain, 21).await, said("a", (12..=52).step_by(2)));
    assert!(bed.log.reads.load(SeqCst) <= reads + 3, "the store was not asked for what is in memory");
    assert_eq!(subscription.position(), Some(position("e", 52)));
}

#[tokio::test]
async fn a_position_far_back_is_continued_from_the_store_as_the_client_reads() {
    let bed = Bed::with(LiveOptions { ring_events: 20, ..LiveOptions::default() }, Overflow::Close);
    (1..=3_000).for_each(|n| bed.log.add("a", n));
    // Far more than the queue holds: who catches up must not be closed as slow.
    let (outlet, mut drain) = bed.outlet("1", 500);
    let _subscription = bed.subscribe(&outlet, "a", Some(position("e", 1))).await.begin();
    assert_eq!(next(&mut drain, 1_000).await, said("a", 2..=1_001));
    (3_001..=3_100).for_each(|n| bed.log.add("a", n));
    assert_eq!(next(&mut drain, 2_099).await, said("a", 1_002..=3_100));
    bed.log.add("a", 3_101);
    assert_eq!(next(&mut drain, 1).await, said("a", [3_101]));
}

#[tokio::test]
async fn what_was_trimmed_while_the_client_was_away_is_a_gap_and_no_partial_history() {
    let bed = Bed::with(LiveOptions { ring_events: 5, ..LiveOptions::default() }, Overflow::Close);
    (1..=100).for_each(|n| bed.log.add("a", n));
    bed.log.trim(50);
    let (outlet, mut drain) = bed.outlet("1", 10_000);
    let pending = bed.subscribe(&outlet, "a", Some(position("e", 20))).await;
    assert_eq!((pending.gap, pending.position.clone()), (Some(EventGap::Trimmed), position("e", 100)));
    let _subscription = pending.begin();
    bed.log.add("a", 101);
    assert_eq!(next(&mut drain, 1).await, said("a", [101]));
    let other = bed.subscribe(&outlet, "a", Some(position("other", 60))).await;
    assert_eq!(other.gap, Some(EventGap::NewEpoch));
}

#[tokio::test]
async fn a_log_that_is_replaced_under_its_subscribers_is_told_to_them() {
    let bed = Bed::new();
    bed.log.add("a", 1);
    let (outlet, mut drain) = bed.outlet("1", 10_000);
    let _subscription = bed.subscribe(&outlet, "a", None).await.begin();
    bed.log.replace("f");
    assert_eq!(next(&mut drain, 1).await, ["gap a NewEpoch"]);
    bed.log.add("a", 2);
    assert_eq!(next(&mut drain, 1).await, said("a", [2]));
    assert_eq!(bed.live.counts().gaps, 1);
}

#[tokio::test]
async fn an_event_that_is_in_the_log_twice_is_delivered_once() {
    let bed = Bed::new();
    bed.log.add("a", 1);
    let (outlet, mut drain) = bed.outlet("1", 10_000);
    let _subscription = bed.subscribe(&outlet, "a", None).await.begin();
    bed.log.add_as("a", 2, 1);
    bed.log.add("a", 3);
    bed.log.add_as("a", 4, 3);
    bed.log.add("a", 5);
    assert_eq!(next(&mut drain, 2).await, said("a", [3, 5]));
    assert_eq!(bed.live.counts().repeats, 2);
}

#[tokio::test]
async fn a_slow_connection_is_closed_and_the_others_are_unharmed() {
    let bed = Bed::new();
    let (slow, mut slow_drain) = bed.outlet("slow", 100);
    let (quick, mut quick_drain) = bed.outlet("quick", 100_000);
    let slow_subscription = bed.subscribe(&slow, "a", None).await.begin();
    let _subscription = bed.subscribe(&quick, "a", None).await.begin();
    (1..=500).for_each(|n| bed.log.add("a", n));
    assert_eq!(next(&mut quick_drain, 500).await, said("a", 1..=500));
    assert_eq!(slow.wait_closed().await, Closed::Slow);
    assert_eq!(slow_drain.batch(1, 1).await, Err(Closed::Slow));
    assert_eq!(bed.live.counts().slow, 1);
    drop((slow_subscription, slow_drain));
    assert_eq!((bed.live.counts().connections, bed.live.counts().subscriptions), (1, 1));
}

#[tokio::test]
async fn a_subscription_that_is_dropped_gets_nothing_more() {
    let bed = Bed::new();
    let (outlet, mut drain) = bed.outlet("1", 10_000);
    let dropped = bed.subscribe(&outlet, "a", None).await.begin();
    let _kept = bed.subscribe(&outlet, "b", None).await.begin();
    drop(dropped);
    bed.log.add("a", 1);
    bed.log.add("b", 2);
    assert_eq!(next(&mut drain, 1).await, said("b", [2]));
}

#[tokio::test]
async fn subscriptions_beyond_the_bound_of_logs_and_to_unknown_streams_are_refused() {
    let bed = Bed::with(LiveOptions { max_logs: 1, ..LiveOptions::default() }, Overflow::Close);
    let (outlet, _drain) = bed.outlet("1", 10_000);
    let _subscription = bed.subscribe(&outlet, "a", None).await.begin();
    let elsewhere = |stream: &str| RoomKey { stream: StreamName::parse(stream).unwrap(), ..key("a") };
    let refused = bed.live.subscribe(&outlet, elsewhere("ticket"), None).await.err().unwrap();
    assert_eq!(refused.code(), Code::Overloaded);
    let refused = bed.live.subscribe(&outlet, elsewhere("nothing"), None).await.err().unwrap();
    assert_eq!(refused.code(), Code::EventStreamUnknown);
}

#[tokio::test(start_paused = true)]
async fn a_log_is_given_up_some_time_after_its_last_subscriber() {
    let bed = Bed::new();
    let (outlet, _drain) = bed.outlet("1", 10_000);
    drop(bed.subscribe(&outlet, "a", None).await.begin());
    assert_eq!(bed.live.logs(), 1);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(bed.live.logs(), 0);
    bed.live.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_subscriber_has_every_event_in_order_while_others_come_and_go() {
    let bed = Bed::with(LiveOptions { ring_events: 50, ..LiveOptions::default() }, Overflow::Close);
    let log = Arc::clone(&bed.log);
    let writer = tokio::spawn(async move {
        for n in 1..=2_000 {
            log.add("a", n);
            if n % 16 == 0 {
                tokio::task::yield_now().await;
            }
        }
    });
    let mut readers = tokio::task::JoinSet::new();
    for nth in 0..16 {
        let live = bed.live.clone();
        readers.spawn(async move {
            let (mut at, mut got) = (position("e", 0), Vec::new());
            // It leaves and comes back with its position until it has everything.
            while at.offset.ms < 2_000 {
                let parts = OutletParts {
                    connection: format!("{nth}"),
                    encoder: Arc::new(Plain),
                    limit_bytes: 4_096,
                    meter: Arc::new(()),
                };
                let (outlet, mut drain) = live.outlet(parts);
                let pending = live.subscribe(&outlet, key("a"), Some(at.clone())).await.unwrap();
                assert_eq!(pending.gap, None);
                let _subscription = pending.begin();
                for _ in 0..5 {
                    let Ok(batch) = tokio::time::timeout(SOON, drain.batch(40, 4_096)).await.expect("in time") else {
                        break;
                    };
                    for line in text(batch) {
                        let n: u64 = line.rsplit(' ').next().unwrap().parse().unwrap();
                        at.offset.ms = n;
                        got.push(n);
                    }
                    if at.offset.ms == 2_000 {
                        break;
                    }
                }
            }
            assert!(got.into_iter().eq(1..=2_000));
        });
    }
    writer.await.unwrap();
    while let Some(reader) = readers.join_next().await {
        reader.unwrap();
    }
}

/// As the plain protocol, with frames that may be put one behind the other.
struct Lines;

impl Encode for Lines {
    fn protocol(&self) -> ProtocolId {
        ProtocolId("lines")
    }

    fn encode(&self, event: &LiveEvent) -> Option<bytes::Bytes> {
        let frame = Plain.encode(event)?;
        (event.stored_ms() % 100 != 0).then(|| [&frame[..], b"\n"].concat().into())
    }

    fn joins(&self) -> bool {
        true
    }

    fn notice(&self, notice: &Notice) -> Option<bytes::Bytes> {
        Plain.notice(notice)
    }
}

#[tokio::test]
async fn events_that_come_together_are_one_frame_where_the_protocol_allows_it() {
    let bed = Bed::new();
    let joining = |connection: &str| {
        let parts = OutletParts {
            connection: connection.into(),
            encoder: Arc::new(Lines),
            limit_bytes: 1_000_000,
            meter: Arc::new(()),
        };
        bed.live.outlet(parts)
    };
    let (outlet, mut drain) = joining("1");
    let (other, mut other_drain) = joining("2");
    let (plain, mut plain_drain) = bed.outlet("3", 1_000_000);
    let _one = bed.subscribe(&outlet, "a", None).await.begin();
    let _two = bed.subscribe(&other, "a", None).await.begin();
    let _three = bed.subscribe(&plain, "a", None).await.begin();
    // No wait between them: the log is not read before all of them are there.
    (1..=250).for_each(|n| bed.log.add(if n % 120 == 0 { "b" } else { "a" }, n));
    let expected: Vec<String> = said("a", (1..=250).filter(|n| n % 120 != 0));
    assert_eq!(next(&mut plain_drain, expected.len()).await, expected);
    let told: Vec<String> =
        expected.iter().filter(|line| !line.ends_with("00")).map(|line| line.clone() + "\n").collect();
    for drain in [&mut drain, &mut other_drain] {
        let frames = next(drain, 3).await;
        assert_eq!(frames.concat(), told.concat());
        assert!(
            frames[0].starts_with("a said 1\n") && frames[1].starts_with("a said 121\n"),
            "a burst ends at another room"
        );
        assert!(drain.is_empty());
    }
    assert_eq!(bed.live.counts().deliveries, (expected.len() + 2 * told.len()) as u64);
}
