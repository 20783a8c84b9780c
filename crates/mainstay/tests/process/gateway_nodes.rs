//! Two nodes with a gateway on one store: what is counted where one of them is killed, and while their Redis is away.

use crate::bed::{Bed, SOON};
use crate::gateway::{counted, hello, key, pool, question, usage};
use crate::node::Node;
use mainstay_testkit::fixtures::FakeProvider;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CHAT: &str = "/v1/chat/completions";
const AT_ONCE: usize = 100;
const ROUNDS: usize = 10;

/// Asks once; whether there was an answer. A node that is killed gives none.
async fn ask(port: u16, bytes: &[u8]) -> bool {
    let exchange = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(bytes).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = tokio::time::timeout(SOON, exchange).await.expect("an answer in bounded time");
    answer.is_ok_and(|answer| answer.starts_with(b"HTTP/1.1 200") && answer.windows(8).any(|part| part == b"You said"))
}

/// One after the other at each of the two nodes, in `AT_ONCE` lanes; the second node is killed in the middle. Answers how many
/// were acknowledged.
async fn storm(nodes: [Node; 2], bytes: Vec<u8>) -> (Node, usize) {
    let [first, second] = nodes;
    let (ports, bytes) = ([first.port, second.port], Arc::new(bytes));
    let (begun, acknowledged) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let lanes: Vec<_> = (0..AT_ONCE)
        .map(|lane| {
            let (bytes, begun, acknowledged) = (Arc::clone(&bytes), Arc::clone(&begun), Arc::clone(&acknowledged));
            tokio::spawn(async move {
                for round in 0..ROUNDS {
                    begun.fetch_add(1, Ordering::Relaxed);
                    if ask(ports[(lane + round) % 2], &bytes).await {
                        acknowledged.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();
    while begun.load(Ordering::Relaxed) < AT_ONCE * ROUNDS / 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    second.kill();
    for lane in lanes {
        lane.await.unwrap();
    }
    (first, acknowledged.load(Ordering::Relaxed))
}

async fn counters_are_never_less_than_what_upstreams_saw(bed: Bed) {
    let nodes = [bed.serve("one").await, bed.serve("two").await];
    let provider = FakeProvider::start().await.unwrap();
    pool(&nodes[0], &provider, "openai", &["a", "b", "c"]).await;
    let (secret, id) = key(&nodes[0], json!({"name": "ada"})).await;
    let (node, acknowledged) = storm(nodes, question(&secret, CHAT, &hello(false))).await;
    assert!(acknowledged > AT_ONCE * ROUNDS / 4, "{acknowledged}");
    let rows = usage(&node, &id, 1).await;
    let heard = provider.heard().len();
    let counts = counted(&node, "openai").await;
    assert!(heard >= acknowledged, "{heard} of {acknowledged}");
    // What the node that died had counted, and not sent yet, is no more than it had under way.
    assert!((heard..=heard + AT_ONCE).contains(&counts), "{counts} counted, {heard} heard");
    let used = node.get(&format!("/v1/gateway/keys/{id}")).await.json()["used"]["requests"].as_u64().unwrap() as usize;
    assert!((heard..=heard + AT_ONCE).contains(&used), "{used} let in, {heard} heard");
    assert!(!rows.is_empty());

    // With both nodes well, every number is the same.
    let other = bed.serve("three").await;
    let lanes = (0..AT_ONCE).map(|lane| {
        let (port, bytes) = ([node.port, other.port][lane % 2], question(&secret, CHAT, &hello(false)));
        tokio::spawn(async move { ask(port, &bytes).await })
    });
    for lane in lanes.collect::<Vec<_>>() {
        assert!(lane.await.unwrap());
    }
    assert_eq!(provider.heard().len(), heard + AT_ONCE);
    assert_eq!(counted(&node, "openai").await, counts + AT_ONCE);
    let settled = |rows: &[serde_json::Value]| rows.iter().map(|row| row["requests"].as_u64().unwrap()).sum::<u64>();
    let before = settled(&rows);
    let rows = usage(&other, &id, before + AT_ONCE as u64).await;
    assert!(settled(&rows) as usize <= heard + AT_ONCE, "{rows:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counters_of_two_nodes_on_redis_are_never_less_than_what_upstreams_saw() {
    counters_are_never_less_than_what_upstreams_saw(Bed::redis().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counters_of_two_nodes_on_a_file_are_never_less_than_what_upstreams_saw() {
    counters_are_never_less_than_what_upstreams_saw(Bed::sqlite()).await;
}

/// While Redis is away, pools and documents serve from the copy of the node; whoever has the owner key goes on. Gateway keys are
/// exact or nothing: they are refused, and the client is told to come back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_is_away_pools_serve_from_their_copy_and_keys_are_refused() {
    let bed = Bed::redis().await;
    let (node, provider) = (bed.serve("node").await, FakeProvider::start().await.unwrap());
    pool(&node, &provider, "openai", &["a", "b"]).await;
    let (secret, _) = key(&node, json!({"name": "ada"})).await;
    let put = node.request("PUT", "/v1/documents/settings/gateway", r#"{"default_pools": ["openai"]}"#).await;
    assert!(matches!(put.status, 200 | 201), "{put:?}");
    let hello_there = hello(false).to_string();
    let chat = || node.request("POST", CHAT, &hello_there);
    for _ in 0..4 {
        assert_eq!(chat().await.status, 200);
    }
    // The copy follows the store within a look.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    bed.server().kill();
    for _ in 0..6 {
        let answer = chat().await;
        assert_eq!(answer.status, 200, "{answer:?} {}", node.process.errors());
    }
    let refused = node.raw(&question(&secret, CHAT, &hello(false))).await;
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.body.contains("\"error\""), "{refused:?}");
    bed.server().restart().await.unwrap();
    let started = Instant::now();
    while counted(&node, "openai").await != 10 {
        assert!(started.elapsed() < SOON, "{} of 10", counted(&node, "openai").await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(node.raw(&question(&secret, CHAT, &hello(false))).await.status, 200);
    assert_eq!(provider.heard().len(), 11);
}
