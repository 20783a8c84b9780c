//! A Redis that is killed, stands still, and comes back under a running server: an error at once that says what to do,
//! nothing lost but what Redis itself had not written, and readers that go on by themselves.

use crate::bed::{Bed, Follower, eventually};
use crate::load::{Load, assert_in_order, assert_none_doubled, stored};
use crate::node::Node;
use mainstay_client::Client;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const SENDERS: usize = 4;

/// What Redis may lose with `appendfsync everysec`: a second, and another where its disk is busy and it puts the write
/// off.
const MAY_BE_LOST: Duration = Duration::from_secs(2);

async fn assert_away(node: &Node) {
    let ready = node.get("/health/ready").await;
    assert_eq!((ready.status, ready.header("retry-after")), (503, Some("1")), "{ready:?}");
    for (method, path, body) in [
        ("GET", "/v1/mail/messages", ""),
        ("POST", "/v1/mail/messages", r#"{"to":["b"],"subject":"s"}"#),
        ("GET", "/v1/mail/inbox?wait_ms=1000", ""),
        ("GET", "/v1/presence", ""),
    ] {
        let answer = node.request(method, path, body).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (503, Some("store.unavailable")), "{answer:?}");
        assert!(answer.header("retry-after").is_some_and(|after| after.parse::<u32>().is_ok()), "{answer:?}");
    }
    assert_eq!(node.get("/health/live").await.status, 200);
}

async fn assert_back(node: &Node) {
    let started = Instant::now();
    loop {
        let ready = node.get("/health/ready").await;
        if ready.status == 200 {
            return;
        }
        assert!(started.elapsed() < crate::bed::SOON, "{ready:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Every way to wait for mail to `waiter`, begun before the store goes away.
struct Waiters {
    waits: Vec<(&'static str, Follower)>,
    watches: Vec<(&'static str, Follower)>,
}

impl Waiters {
    fn start(bed: &Bed, node: &Node) -> Self {
        let url = node.url();
        let start = |name, how: &[&str]| {
            let arguments = [&["mail"], how, &["--as", "waiter", "--json", "--peek"]].concat();
            (name, bed.start(name, bed.command(&arguments)))
        };
        let waits = vec![
            start("wait-direct", &["wait"]),
            start("wait-server", &["wait", "--url", &url]),
            start("wait-now", &["wait", "--after", "now", "--url", &url]),
        ];
        let watches = vec![start("watch-direct", &["watch"]), start("watch-server", &["watch", "--url", &url])];
        Self { waits, watches }
    }

    /// All of them are there when their reads have made the store notice them.
    async fn settle() {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
    }

    async fn assert_told(self, subject: &str) {
        for (name, wait) in self.waits {
            let (status, printed, errors) = wait.finish().await;
            assert_eq!(status, Some(0), "{name}: {errors}");
            let inbox: serde_json::Value = serde_json::from_str(&printed).unwrap();
            assert_eq!(inbox["messages"][0]["subject"], subject, "{name}");
        }
        for (name, watch) in self.watches {
            eventually(name, || {
                let seen = watch.subjects();
                if seen == [subject] { Ok(()) } else { Err(format!("{seen:?} {}", watch.errors())) }
            })
            .await;
        }
    }
}

fn clients(node: &Node) -> Vec<Client> {
    (0..SENDERS).map(|n| node.client(&format!("s{n}"), 0)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_redis_is_an_error_that_says_so_and_loses_no_more_than_it_had_not_written() {
    let bed = Bed::redis().await;
    let node = bed.serve("node").await;
    let waiters = Waiters::start(&bed, &node);
    let load = Load::start("inbox", clients(&node));
    load.sent(200).await;
    Waiters::settle().await;

    let killed = Instant::now();
    bed.server().kill();
    assert_away(&node).await;
    let waiting = bed.run(&["mail", "send", "a", "s", "--as", "me"]);
    assert_eq!(waiting.status.code(), Some(3), "{}", String::from_utf8_lossy(&waiting.stderr));
    bed.server().restart().await.unwrap();
    assert_back(&node).await;
    load.sent(100).await;
    let outcome = load.finish().await;

    assert!(outcome.failed > 0, "no call met the outage");
    let stored = stored(&node.client("me", 5_000), "inbox").await;
    let ids: BTreeSet<_> = stored.iter().map(|(id, _)| id).collect();
    for (subject, told) in &outcome.acknowledged {
        let may_be_lost = told.began < killed && told.ended + MAY_BE_LOST > killed;
        assert!(may_be_lost || ids.contains(&told.id), "{subject} was acknowledged and is lost");
    }
    let subjects: Vec<String> = stored.into_iter().map(|(_, subject)| subject).collect();
    assert_none_doubled(&subjects);
    assert_in_order(&subjects);
    bed.json(&["mail", "send", "waiter", "after the outage", "--as", "me", "--url", &node.url()]);
    waiters.assert_told("after the outage").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_stands_still_ends_calls_in_bounded_time_and_is_used_again_when_it_goes_on() {
    let bed = Bed::redis().await;
    let node = bed.serve("node").await;
    let waiters = Waiters::start(&bed, &node);
    let load = Load::start("inbox", clients(&node));
    load.sent(50).await;
    Waiters::settle().await;

    bed.server().pause().unwrap();
    // Each of these requests fails on its own where it does not end in time.
    assert_away(&node).await;
    // Longer than subscriptions need to find out that nothing comes any more.
    tokio::time::sleep(Duration::from_secs(8)).await;
    bed.server().resume().unwrap();
    assert_back(&node).await;
    load.sent(50).await;
    let outcome = load.finish().await;

    assert!(outcome.failed > 0, "no call met the outage");
    let stored = stored(&node.client("me", 5_000), "inbox").await;
    let ids: BTreeSet<_> = stored.iter().map(|(id, _)| id.clone()).collect();
    for (subject, told) in &outcome.acknowledged {
        assert!(ids.contains(&told.id), "{subject} was acknowledged and is lost");
    }
    let subjects: Vec<String> = stored.into_iter().map(|(_, subject)| subject).collect();
    assert_none_doubled(&subjects);
    bed.json(&["mail", "send", "waiter", "after the pause", "--as", "me", "--url", &node.url()]);
    waiters.assert_told("after the pause").await;
}

#[tokio::test]
async fn a_server_does_not_start_on_a_store_that_is_away_and_says_why() {
    let bed = Bed::redis().await;
    bed.server().kill();
    let output = bed.run(&["serve", "--listen", "127.0.0.1:0"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("store.unavailable"), "{said}");
}
