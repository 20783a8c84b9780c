//! The connections of a server to Redis: few, none left behind, closed by an orderly stop, logged in by the settings, and
//! made again however long Redis was away.

use crate::bed::{Bed, SOON};
use mainstay_testkit::fixtures::RedisServer;
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// A field of everything that is connected.
async fn connected(redis: &RedisServer, field: &str) -> BTreeSet<String> {
    let clients = redis.clients().await.unwrap();
    let value = |line: &String| line.split(' ').find_map(|pair| pair.strip_prefix(field).map(str::to_owned));
    clients.iter().filter_map(value).collect()
}

const LETTER: &str = r#"{"to":["b"],"subject":"s"}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_requests_leave_no_connection_behind_and_a_stop_closes_all() {
    let bed = Bed::redis().await;
    let mut node = bed.serve("node").await;
    // One request of each kind, after which every connection stands that is ever needed.
    let one_round = async || {
        let tasks = [
            ("POST", "/v1/mail/messages", LETTER),
            ("GET", "/v1/mail/messages", ""),
            ("GET", "/v1/mail/inbox?wait_ms=10", ""),
            ("GET", "/v1/presence", ""),
            ("GET", "/health/ready", ""),
        ];
        let answers = tasks.map(|(method, path, body)| node.request(method, path, body));
        for answer in futures::future::join_all(answers).await {
            assert!(answer.status < 300, "{answer:?}");
        }
    };
    one_round().await;
    // Commands, and the subscription that the long poll began.
    let before = connected(bed.server(), "id=").await;
    assert_eq!(before.len(), 2, "{before:?}");

    for _ in 0..200 {
        one_round().await;
    }

    assert_eq!(connected(bed.server(), "id=").await, before, "connections came or went");
    node.process.running.signal(Signal::TERM);
    let (status, _, errors) = node.process.finish().await;
    assert_eq!(status, Some(0), "{errors}");
    assert_eq!(connected(bed.server(), "id=").await, BTreeSet::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_stays_away_is_found_again_after_any_number_of_attempts() {
    let bed = Bed::redis().await;
    let node = bed.serve("node").await;
    bed.server().kill();
    // Each is an attempt of its own: calls share one only for a fifth of a second.
    for attempt in 0..25 {
        for path in ["/health", "/health/ready"] {
            let health = node.get(path).await;
            assert_eq!((health.status, health.header("retry-after")), (503, Some("1")), "{attempt}: {health:?}");
            assert_eq!(health.json()["store"]["reachable"], false);
        }
        tokio::time::sleep(Duration::from_millis(220)).await;
    }
    bed.server().restart().await.unwrap();
    // Calls share the last failure for a fifth of a second.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let answer = node.request("POST", "/v1/mail/messages", LETTER).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(node.get("/health/ready").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_logs_in_as_its_settings_say_and_again_when_the_file_changes() {
    let redis = RedisServer::start().await.unwrap();
    for (user, password) in [("app1", "one"), ("app2", "p@:/?#%{} 2")] {
        redis.cli(&["ACL", "SETUSER", user, "on", &format!(">{password}"), "~*", "&*", "+@all"]).await.unwrap();
    }
    let bed = Bed::elsewhere(redis.url());
    let file = bed.sandbox.path().join("login");
    std::fs::write(&file, r#"{"username":"app1","password":"one"}"#).unwrap();
    let source: &'static str = Box::leak(format!("file:{}", file.display()).into_boxed_str());
    let bed = bed.with("MAINSTAY_REDIS_CREDENTIALS", source);
    let node = bed.serve("node").await;
    let users = async || connected(&redis, "user=").await;
    assert_eq!(users().await, BTreeSet::from(["app1".to_owned()]));

    std::fs::write(&file, r#"{"username":"app2","password":"p@:/?#%{} 2"}"#).unwrap();
    let started = Instant::now();
    while users().await != BTreeSet::from(["app2".to_owned()]) {
        assert!(started.elapsed() < SOON, "{:?}", users().await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    redis.cli(&["ACL", "DELUSER", "app1"]).await.unwrap();
    assert_eq!(node.request("POST", "/v1/mail/messages", LETTER).await.status, 201);
}

#[test]
fn what_is_no_store_is_refused_without_being_shown() {
    for store in ["hunter2:secret", "redis:hunter2", "hunter2"] {
        let said = Bed::elsewhere(store).run(&["health"]);
        let said = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(said.contains("settings.invalid") && !said.contains("hunter2"), "{said}");
    }
}
