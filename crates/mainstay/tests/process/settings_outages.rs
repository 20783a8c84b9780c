//! Settings while their Redis is away: read from the last known copy, written to the journal of the node, and brought to
//! the store in order and once when it is back.

use crate::bed::{Bed, SOON};
use crate::node::{Answer, Node};
use mainstay_testkit::fixtures::{FaultProxy, RedisServerOptions};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const MAIN: &str = "/v1/documents/settings/main";

/// A server whose settings have a copy on the disk.
async fn copied(bed: &Bed) -> Node {
    let node = bed.serve("node").await;
    let put = node.request("PUT", MAIN, r#"{"port": 8080,  "models": []}"#).await;
    assert_eq!(put.status, 200, "{put:?}");
    copy_settles(&node).await;
    node
}

/// The copy follows the store within a look.
async fn copy_settles(_: &Node) {
    tokio::time::sleep(Duration::from_millis(2_500)).await;
}

async fn put(node: &Node, path: &str, body: &Value) -> Answer {
    let answer = node.request("PUT", path, &body.to_string()).await;
    assert!(matches!(answer.status, 200 | 201), "{answer:?}");
    answer
}

async fn status(node: &Node) -> Value {
    node.get("/v1/store/status").await.json()
}

async fn until(node: &Node, state: &str) -> Value {
    let started = Instant::now();
    loop {
        let now = status(node).await;
        // A call may find out before the job that looks at the store does.
        if now["state"] == state && (state != "away" || now["since"].is_string()) {
            return now;
        }
        assert!(started.elapsed() < SOON, "it is never {state}: {now} {}", node.process.errors());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn value(node: &Node, path: &str) -> Value {
    let read = node.get(path).await;
    assert_eq!(read.status, 200, "{read:?}");
    read.json()["value"].clone()
}

async fn entries(node: &Node) -> Vec<Value> {
    let listed = node.get("/v1/store/journal?limit=1000").await.json();
    let all = listed["entries"].as_array().unwrap().clone();
    all.into_iter().filter(|entry| entry["kind"] == "documents").collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_are_read_and_written_without_redis_and_everything_is_in_it_once_afterwards() {
    let bed = Bed::redis().await.with("MAINSTAY_LOG", "info");
    let node = copied(&bed).await;
    let before = node.get(MAIN).await;
    assert_eq!(before.header("mainstay-stale"), None, "{before:?}");
    bed.server().kill();
    until(&node, "away").await;

    let read = node.get(MAIN).await;
    assert_eq!((read.status, read.body.as_str()), (200, before.body.as_str()));
    assert!(read.header("mainstay-stale").is_some(), "{read:?}");
    for number in 0..100 {
        let answer = put(&node, &format!("/v1/documents/settings/k{}", number % 10), &json!({"n": number})).await;
        assert!(answer.header("mainstay-journal-entry").is_some(), "{answer:?}");
    }
    assert_eq!(value(&node, "/v1/documents/settings/k9").await, json!({"n": 99}), "a copy has what waits");
    assert_eq!(entries(&node).await.len(), 100);
    let listed = node.get("/v1/documents/settings").await;
    assert_eq!(listed.json()["items"].as_array().unwrap().len(), 11, "{listed:?}");
    assert_eq!(node.get("/v1/mail/messages").await.status, 503, "everything else is away");

    bed.server().restart().await.unwrap();
    let stood = until(&node, "connected").await;
    assert_eq!(stood["journal"]["waiting"], 0, "{stood}");
    for number in 90..100 {
        let path = format!("/v1/documents/settings/k{}", number % 10);
        assert_eq!(value(&node, &path).await, json!({"n": number}));
        let history = node.get(&format!("{path}/history")).await.json();
        let seen: Vec<_> =
            history["revisions"].as_array().unwrap().iter().map(|was| was["value"]["n"].clone()).collect();
        let wanted: Vec<_> = (0..10).rev().map(|round| json!(round * 10 + number % 10)).collect();
        assert_eq!(seen, wanted, "each write is there once, in order");
    }
    let trail = node.get("/v1/audit/entries?limit=500").await.body;
    assert!(
        trail.matches("documents.put").count() >= 200,
        "what was done is in the trail: {}",
        trail.matches("documents.put").count()
    );
    let said = node.process.errors();
    for line in
        ["the store is lost", "is kept in the journal", "what waits is written to it", "reconnected, and replayed"]
    {
        assert!(said.contains(line), "{line}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_restarted_during_an_outage_goes_on_with_the_copy_and_the_journal_of_its_disk() {
    let bed = Bed::redis().await;
    let node = copied(&bed).await;
    bed.server().kill();
    until(&node, "away").await;
    put(&node, MAIN, &json!({"port": 1})).await;
    node.kill();
    let node = bed.serve("again").await;
    assert_eq!(value(&node, MAIN).await, json!({"port": 1}));
    put(&node, MAIN, &json!({"port": 2})).await;
    bed.server().restart().await.unwrap();
    until(&node, "connected").await;
    let history = node.get(&format!("{MAIN}/history")).await.json();
    let ports: Vec<_> =
        history["revisions"].as_array().unwrap().iter().map(|was| was["value"]["port"].clone()).collect();
    assert_eq!(ports, [json!(2), json!(1), json!(8080)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_a_hung_redis_may_have_taken_is_there_once() {
    let bed = Bed::redis().await;
    let node = copied(&bed).await;
    bed.server().pause().unwrap();
    put(&node, MAIN, &json!({"port": 1})).await;
    assert_eq!(value(&node, MAIN).await, json!({"port": 1}));
    bed.server().resume().unwrap();
    until(&node, "connected").await;
    let history = node.get(&format!("{MAIN}/history")).await.json();
    let ports: Vec<_> =
        history["revisions"].as_array().unwrap().iter().map(|was| was["value"]["port"].clone()).collect();
    assert_eq!(ports, [json!(1), json!(8080)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_is_cut_in_the_middle_of_the_replay_doubles_and_loses_nothing() {
    let redis = RedisServerOptions::new().aof().start().await.unwrap();
    let proxy = FaultProxy::in_front_of(redis.port()).await.unwrap();
    let bed = Bed::elsewhere(format!("redis://127.0.0.1:{}", proxy.port()));
    let node = copied(&bed).await;
    proxy.refuse();
    proxy.drop_all();
    until(&node, "away").await;
    for number in 0..40 {
        put(&node, "/v1/documents/settings/k", &json!({"n": number})).await;
    }
    // Each cut comes after the script of a write has run, and before anybody hears of it.
    proxy.pass();
    proxy.cut_after_command(r#"{"n":17}"#, 1);
    until(&node, "connected").await;
    assert!(proxy.cuts() > 0, "the link was never cut");
    let history = node.get("/v1/documents/settings/k/history?limit=100").await.json();
    let seen: Vec<_> = history["revisions"].as_array().unwrap().iter().map(|was| was["value"]["n"].clone()).collect();
    assert_eq!(seen, (0..40).rev().map(|n| json!(n)).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_journal_refuses_loudly_and_drops_nothing() {
    let bed = Bed::redis().await.with("MAINSTAY_OUTAGE_MAX_ENTRIES", "6");
    let node = copied(&bed).await;
    bed.server().kill();
    until(&node, "away").await;
    // Of each write three entries are kept: that it began, the write, and how it ended.
    put(&node, MAIN, &json!({"port": 1})).await;
    put(&node, MAIN, &json!({"port": 2})).await;
    let refused = node.request("PUT", MAIN, r#"{"port": 3}"#).await;
    assert_eq!((refused.status, refused.json()["code"].as_str()), (503, Some("store.journal_full")), "{refused:?}");
    assert_eq!(value(&node, MAIN).await, json!({"port": 2}));
    bed.server().restart().await.unwrap();
    until(&node, "connected").await;
    assert_eq!(value(&node, MAIN).await, json!({"port": 2}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_another_node_overtook_is_refused_and_shown_until_it_is_discarded() {
    let redis = RedisServerOptions::new().aof().start().await.unwrap();
    let proxy = FaultProxy::in_front_of(redis.port()).await.unwrap();
    let far = Bed::elsewhere(format!("redis://127.0.0.1:{}", proxy.port()));
    let near = Bed::elsewhere(redis.url());
    let node = copied(&far).await;
    let other = near.serve("other").await;
    proxy.refuse();
    proxy.drop_all();
    until(&node, "away").await;
    put(&node, MAIN, &json!({"port": 1})).await;
    put(&node, "/v1/documents/settings/free", &json!({"n": 1})).await;
    put(&other, MAIN, &json!({"port": 9})).await;
    proxy.pass();
    let stood = until(&node, "connected").await;
    assert_eq!((&stood["journal"]["waiting"], &stood["journal"]["refused"]), (&json!(0), &json!(1)), "{stood}");
    assert_eq!(value(&node, MAIN).await, json!({"port": 9}), "a conflict is not forced");
    assert_eq!(value(&other, "/v1/documents/settings/free").await, json!({"n": 1}));
    let kept = far.json(&["store", "journal", "list", "--url", &node.url()]);
    let reason = kept["entries"][0]["refused"].as_str().unwrap();
    assert!(reason.contains("settings/main has the revision"), "{kept}");
    let discarded = far.json(&["store", "journal", "discard", "--refused", "--url", &node.url()]);
    assert_eq!(discarded["discarded"], 1);
    assert!(entries(&node).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_comes_back_empty_is_said_and_filled_by_nobody_but_an_operator() {
    // One that writes nothing down comes back empty.
    let redis = RedisServerOptions::new().start().await.unwrap();
    let bed = Bed::elsewhere(redis.url());
    let node = copied(&bed).await;
    put(&node, "/v1/documents/settings/other", &json!({"kept": true})).await;
    copy_settles(&node).await;
    redis.kill();
    until(&node, "away").await;
    put(&node, MAIN, &json!({"port": 1})).await;
    redis.restart().await.unwrap();
    let stood = until(&node, "halted").await;
    assert!(stood["reason"].as_str().unwrap().contains("not the one that was lost"), "{stood}");
    assert_eq!(value(&node, MAIN).await, json!({"port": 1}), "the copy is still served");
    let refused = bed.run(&["store", "journal", "replay", "--url", &node.url()]);
    assert!(!refused.status.success());
    bed.json(&["store", "journal", "replay", "--onto-empty", "--url", &node.url()]);
    until(&node, "connected").await;
    assert_eq!(value(&node, MAIN).await, json!({"port": 1}));
    let other = node.get("/v1/documents/settings/other").await;
    assert_eq!(other.status, 404, "a stale copy fills nothing: {other:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_says_how_the_store_stands_in_both_shapes_and_shows_no_password() {
    let redis = RedisServerOptions::new().password("hunter2-of-the-tests").start().await.unwrap();
    let bed = Bed::elsewhere(redis.url());
    let node = bed.serve("node").await;
    let ours = status(&node).await;
    assert_eq!((&ours["state"], &ours["reachable"]), (&json!("connected"), &json!(true)), "{ours}");
    let theirs = node.get("/api/redis/status").await;
    let said = theirs.json();
    assert_eq!(
        (&said["enabled"], &said["connected"], &said["storageType"]),
        (&json!(true), &json!(true), &json!("redis"))
    );
    assert_eq!((&said["degradedMode"], &said["health"]["status"]), (&json!(false), &json!("healthy")), "{said}");
    assert!(said["stats"]["totalCommands"].as_u64().unwrap() > 0, "{said}");
    assert!(said["timestamps"]["initialConnectionAt"].is_string() && said["keyPrefix"] == "mainstay:", "{said}");
    assert!(!theirs.body.contains("hunter2") && !ours.to_string().contains("hunter2"));
    redis.kill();
    let away = until(&node, "away").await;
    let said = node.get("/api/redis/status").await.json();
    assert_eq!((&said["degradedMode"], &said["connected"]), (&json!(true), &json!(false)), "{away} {said}");
    assert!(said["lastError"].is_string() && said["degradedModeInfo"]["since"].is_i64(), "{said}");
    let storage = node.get("/api/storage/status").await.json();
    assert_eq!(
        storage,
        json!({"initialized": true, "type": "redis", "redis": {"enabled": true, "connected": false}, "degradedMode": true})
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_store_is_a_file_in_the_words_of_the_founding_system() {
    let bed = Bed::sqlite();
    let node = bed.serve("node").await;
    let said = node.get("/api/redis/status").await.json();
    assert_eq!((&said["enabled"], &said["storageType"], &said["url"]), (&json!(false), &json!("file"), &Value::Null));
    assert_eq!(said["health"]["status"], "disabled");
    assert_eq!(status(&node).await["journal"], Value::Null);
}
