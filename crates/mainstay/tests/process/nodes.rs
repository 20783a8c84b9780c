//! Two servers on one store whose servers fail over, or go and come back, under load.

use crate::bed::{Bed, Follower, eventually};
use crate::load::{Load, Outcome, assert_none_doubled, stored};
use crate::node::Node;
use mainstay_testkit::fixtures::{RedisClusterOptions, RedisSentinel};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const SENDERS_EACH: usize = 3;
/// How long a call may be repeated: longer than any of the outages here.
const RETRY_FOR_MS: u64 = 40_000;

struct Pair {
    bed: Bed,
    nodes: [Node; 2],
    watch: Follower,
    load: Load,
}

impl Pair {
    /// Two nodes, senders on both, and a reader on the second one.
    async fn start(store: String) -> Self {
        let bed = Bed::elsewhere(store);
        let nodes = [bed.serve("one").await, bed.serve("two").await];
        let url = nodes[1].url();
        let arguments = ["mail", "watch", "--as", "inbox", "--after", "oldest", "--json", "--peek", "--url", &url];
        let watch = bed.start("watch", bed.command(&arguments));
        let clients = nodes.iter().enumerate().flat_map(|(node, server)| {
            (0..SENDERS_EACH).map(move |n| server.client(&format!("n{node}-{n}"), RETRY_FOR_MS))
        });
        let load = Load::start("inbox", clients.collect());
        Self { bed, nodes, watch, load }
    }

    /// Ends the load; every subject that is stored, and what the senders were told.
    async fn finish(self) -> (Vec<(String, String)>, Outcome, Survivors) {
        let outcome = self.load.finish().await;
        assert_eq!(outcome.failed, 0, "a call that repeats itself outlives the outage");
        let stored = stored(&self.nodes[0].client("me", RETRY_FOR_MS), "inbox").await;
        let survivors = Survivors { bed: self.bed, nodes: self.nodes, watch: self.watch };
        (stored, outcome, survivors)
    }
}

struct Survivors {
    bed: Bed,
    nodes: [Node; 2],
    watch: Follower,
}

impl Survivors {
    /// The reader on the second node is told of what comes in on the first, and has missed nothing that is stored.
    async fn assert_reader_goes_on(self, subjects: &[String]) {
        self.bed.json(&["mail", "send", "inbox", "the last one", "--as", "me", "--url", &self.nodes[0].url()]);
        let seen = eventually("the reader on the other node", || {
            let seen = self.watch.subjects();
            let last = seen.last().is_some_and(|last| last == "the last one");
            if last { Ok(seen) } else { Err(format!("{} seen; {}", seen.len(), self.watch.errors())) }
        })
        .await;
        assert_none_doubled(&seen);
        let seen: BTreeSet<_> = seen.iter().collect();
        for subject in subjects {
            assert!(seen.contains(subject), "{subject} is stored, and the reader was not told");
        }
    }
}

fn assert_kept(
    stored: &[(String, String)],
    outcome: &Outcome,
    must_be_kept: impl Fn(Instant, Instant) -> bool,
) -> usize {
    let ids: BTreeSet<_> = stored.iter().map(|(id, _)| id).collect();
    let must: Vec<_> = outcome.acknowledged.iter().filter(|(_, told)| must_be_kept(told.began, told.ended)).collect();
    for (subject, told) in &must {
        assert!(ids.contains(&told.id), "{subject} was acknowledged and is lost");
    }
    must.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fail_over_under_load_keeps_what_was_replicated_and_doubles_nothing() {
    let sentinel = RedisSentinel::start().await.unwrap();
    let pair = Pair::start(sentinel.url()).await;
    pair.load.sent(150).await;

    let marked = Instant::now();
    sentinel.wait_replicated().await.unwrap();
    sentinel.kill_master().await.unwrap();
    sentinel.wait_failover().await.unwrap();
    let failed_over = Instant::now();
    pair.load.sent(150).await;
    let (stored, outcome, survivors) = pair.finish().await;

    let kept = assert_kept(&stored, &outcome, |began, ended| ended < marked || began > failed_over);
    assert!(kept >= 200, "{kept} messages are too few to say anything");
    let subjects: Vec<String> = stored.into_iter().map(|(_, subject)| subject).collect();
    assert_none_doubled(&subjects);
    survivors.assert_reader_goes_on(&subjects).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_stands_still_is_left_and_readers_listen_to_the_new_one() {
    let sentinel = RedisSentinel::start().await.unwrap();
    let pair = Pair::start(sentinel.url()).await;
    pair.load.sent(60).await;

    let marked = Instant::now();
    sentinel.wait_replicated().await.unwrap();
    let old = sentinel.master_port().await.unwrap();
    let [one, other] = sentinel.servers();
    let (master, replica) = if one.port() == old { (one, other) } else { (other, one) };
    master.pause().unwrap();
    sentinel.wait_failover().await.unwrap();
    let failed_over = Instant::now();
    pair.load.sent(60).await;
    let started = Instant::now();
    loop {
        let listening = format!("{:?}", replica.cli(&["PUBSUB", "NUMSUB", "mainstay:wake"]).await.unwrap());
        if listening.contains("int(1)") {
            break;
        }
        assert!(started.elapsed() < crate::bed::SOON, "nobody listens to the new master: {listening}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (stored, outcome, survivors) = pair.finish().await;

    assert_kept(&stored, &outcome, |began, ended| ended < marked || began > failed_over);
    let subjects: Vec<String> = stored.into_iter().map(|(_, subject)| subject).collect();
    assert_none_doubled(&subjects);
    survivors.assert_reader_goes_on(&subjects).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_node_that_goes_and_comes_back_under_load_loses_and_doubles_nothing() {
    let cluster = RedisClusterOptions::new().aof().start().await.unwrap();
    let pair = Pair::start(cluster.url()).await;
    pair.load.sent(100).await;

    // Each in turn: the one that has the mail, and the one that the wake-ups come from, whichever they are.
    let mut outages = Vec::new();
    for node in cluster.nodes() {
        let killed = Instant::now();
        node.kill();
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        node.restart().await.unwrap();
        cluster.wait_ok().await.unwrap();
        outages.push(killed);
        pair.load.sent(60).await;
    }
    let (stored, outcome, survivors) = pair.finish().await;

    // Redis writes its file once a second, and a second later where the disk is busy.
    let unwritten = |began: Instant, ended: Instant| {
        outages.iter().any(|killed| began < *killed && ended + Duration::from_secs(2) > *killed)
    };
    let kept = assert_kept(&stored, &outcome, |began, ended| !unwritten(began, ended));
    assert!(kept >= 50, "{kept} messages are too few to say anything");
    let subjects: Vec<String> = stored.into_iter().map(|(_, subject)| subject).collect();
    assert_none_doubled(&subjects);
    survivors.assert_reader_goes_on(&subjects).await;
}
