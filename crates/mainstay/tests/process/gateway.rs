//! The gateway of `mainstay serve`: pools that are made over HTTP, keys, credentials and documents, on both stores.

use crate::bed::{Bed, SOON, eventually};
use crate::clients::{client, environment};
use crate::node::Node;
use mainstay_testkit::fixtures::{AuthorizationServer, Behaviour, FakeProvider, Granting, StatusAnswer};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CHAT: &str = "/v1/chat/completions";

/// Makes a pool in which each provider has its own name as key.
pub async fn pool(node: &Node, provider: &FakeProvider, name: &str, ids: &[&str]) {
    let settings = |id: &&str| json!({"base_url": provider.url(), "api_key": id, "models": ["small"]});
    let providers: Vec<Value> = ids.iter().map(|id| json!({"id": id, "settings": settings(id)})).collect();
    put(node, &format!("/v1/providers/{name}"), &json!({"settings": {}, "providers": providers})).await;
}

pub async fn put(node: &Node, path: &str, body: &Value) {
    let answer = node.request("PUT", path, &body.to_string()).await;
    assert!(matches!(answer.status, 200 | 201 | 204), "{answer:?}");
}

/// A gateway key: its secret, and its id.
pub async fn key(node: &Node, wanted: Value) -> (String, String) {
    let made = node.request("POST", "/v1/gateway/keys", &wanted.to_string()).await.json();
    (made["secret"].as_str().unwrap().to_owned(), made["id"].as_str().unwrap().to_owned())
}

pub fn hello(stream: bool) -> Value {
    json!({"model": "small", "stream": stream, "messages": [{"role": "user", "content": "Hello"}]})
}

/// A question as bytes, with this credential.
pub fn question(secret: &str, path: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {secret}\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

/// How many requests all providers of a pool were counted for.
pub async fn counted(node: &Node, pool: &str) -> usize {
    let pool = node.get(&format!("/v1/providers/{pool}")).await.json();
    let counts = pool["providers"].as_array().unwrap().iter().map(|provider| &provider["counters"]["requests"]);
    counts.map(|requests| requests.as_u64().unwrap() as usize).sum()
}

/// What somebody used, once so many requests are settled.
pub async fn usage(node: &Node, who: &str, requests: u64) -> Vec<Value> {
    let started = Instant::now();
    loop {
        let page = node.get(&format!("/v1/gateway/usage?key={who}")).await.json();
        let rows = page["items"].as_array().unwrap();
        if rows.iter().map(|row| row["requests"].as_u64().unwrap()).sum::<u64>() >= requests {
            return rows.clone();
        }
        assert!(started.elapsed() < SOON, "never settled: {page}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A test on both stores.
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(crate::bed::Bed::redis().await).await;
            })+
        }
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(crate::bed::Bed::sqlite()).await;
            })+
        }
    };
}

on_both! {
    the_stock_clients_of_three_protocols_work_with_pools_of_all_three,
    a_token_that_is_refused_is_refreshed_and_used_and_a_dead_one_makes_way,
    an_upstream_that_dies_within_its_answer_ends_it_with_an_error_and_is_billed,
    a_slow_client_gets_all_of_its_answer,
    an_upstream_that_says_nothing_makes_way_for_the_next,
    what_is_under_way_at_the_end_is_finished_and_settled_within_the_grace,
}

async fn the_stock_clients_of_three_protocols_work_with_pools_of_all_three(bed: Bed) {
    let (node, provider) = (bed.serve("node").await, FakeProvider::start().await.unwrap());
    for name in ["openai", "anthropic", "gemini"] {
        pool(&node, &provider, name, &["a", "b"]).await;
    }
    provider.behave("b", Behaviour { piece_bytes: 3, ..Behaviour::default() });
    let (secret, id) = key(&node, json!({"name": "sdks"})).await;
    let mut python = environment(&bed, client("MAINSTAY_TEST_PYTHON_GATEWAY"));
    python.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/gateway_sdks.py"));
    python.args([&node.url(), &secret, "openai", "anthropic", "gemini"]);
    let mut node_js = environment(&bed, "node".into());
    node_js.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/gateway_openai.mjs"));
    node_js.arg(client("MAINSTAY_TEST_OPENAI"));
    node_js.args([&node.url(), &secret, "openai", "anthropic", "gemini"]);
    for (mut command, said) in [(python, "9 pairs"), (node_js, "3 pools")] {
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && text.contains(said), "{text}");
    }
    let heard = provider.heard().len();
    let mut seen = 0;
    for name in ["openai", "anthropic", "gemini"] {
        seen += counted(&node, name).await;
    }
    assert_eq!(seen, heard, "what was counted is what the upstream saw");
    let rows = usage(&node, &id, heard as u64).await;
    let requests: u64 = rows.iter().map(|row| row["requests"].as_u64().unwrap()).sum();
    assert_eq!(requests, heard as u64, "{rows:?}");
}

async fn a_token_that_is_refused_is_refreshed_and_used_and_a_dead_one_makes_way(bed: Bed) {
    let (node, provider) = (bed.serve("node").await, FakeProvider::start().await.unwrap());
    let server = AuthorizationServer::start().await.unwrap();
    let settings = json!({"strategy": "priority", "oauth": {"token_url": server.url(), "client_id": "c"}});
    let own = json!({"base_url": provider.url(), "priority": 1});
    let other = json!({"base_url": provider.url(), "priority": 2, "api_key": "other"});
    let providers = json!([{"id": "own", "settings": own}, {"id": "other", "settings": other}]);
    put(&node, "/v1/providers/openai", &json!({"settings": settings, "providers": providers})).await;
    let tokens = json!({"access_token": "old", "refresh_token": "r-0", "expiry_date": 4_000_000_000_000_i64});
    put(&node, "/v1/providers/openai/own/credential", &tokens).await;
    let refusing = StatusAnswer { status: 401, body: "{}".into(), ..StatusAnswer::default() };
    let refusing = Behaviour { status: Some(refusing), ..Behaviour::default() };
    provider.behave("old", refusing.clone());

    let answers = node.request("POST", CHAT, &hello(false).to_string()).await;
    assert_eq!(answers.status, 200, "{answers:?}");
    let keys: Vec<String> = provider.heard().into_iter().map(|heard| heard.key).collect();
    assert_eq!(keys, ["old", "a-1"], "the new token of the same provider");
    assert_eq!((server.calls().len(), server.calls()[0]["client_id"].as_str()), (1, "c"));

    provider.behave("a-1", refusing);
    server.grant(Granting::Refusing(400, "", r#"{"error":"invalid_grant"}"#.into()));
    let answers = node.request("POST", CHAT, &hello(false).to_string()).await;
    assert_eq!(answers.status, 200, "{answers:?}");
    assert_eq!(provider.count("other"), 1, "the next provider");
    let standing = node.get("/v1/providers/openai/own/credential").await.json();
    assert_eq!(standing["refresh"]["phase"], "dead", "{standing}");
}

async fn an_upstream_that_dies_within_its_answer_ends_it_with_an_error_and_is_billed(bed: Bed) {
    let (node, provider) = (bed.serve("node").await, FakeProvider::start().await.unwrap());
    pool(&node, &provider, "openai", &["a"]).await;
    provider.behave("a", Behaviour { cut_after: Some(2), ..Behaviour::default() });
    let (secret, id) = key(&node, json!({"name": "ada"})).await;
    let answer = node.raw(&question(&secret, CHAT, &hello(true))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.body.contains("\"error\"") && !answer.body.contains("[DONE]"), "{answer:?}");
    let rows = usage(&node, &id, 1).await;
    assert_eq!((rows[0]["failed"].as_u64(), rows[0]["estimated"].as_bool()), (Some(1), Some(true)), "{rows:?}");
    assert_eq!(provider.heard().len(), 1, "nobody else was asked after the first byte");
}

async fn a_slow_client_gets_all_of_its_answer(bed: Bed) {
    let (node, provider) = (bed.serve("node").await, FakeProvider::start().await.unwrap());
    pool(&node, &provider, "openai", &["a"]).await;
    let words = "word ".repeat(400_000);
    provider.behave("a", Behaviour { says: Some(words.clone()), piece_bytes: 64 * 1_024, ..Behaviour::default() });
    let (secret, id) = key(&node, json!({"name": "ada"})).await;
    let mut stream = TcpStream::connect(("127.0.0.1", node.port)).await.unwrap();
    stream.write_all(&question(&secret, CHAT, &hello(true))).await.unwrap();
    let (mut taken, mut piece) = (0, vec![0; 32 * 1_024]);
    loop {
        let count = tokio::time::timeout(SOON, stream.read(&mut piece)).await.unwrap().unwrap();
        if count == 0 {
            break;
        }
        taken += count;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(taken > words.len(), "{taken} bytes of {}", words.len());
    assert_eq!(usage(&node, &id, 1).await[0]["failed"], 0);
}

async fn an_upstream_that_says_nothing_makes_way_for_the_next(bed: Bed) {
    let (node, provider) = (bed.serve("node").await, FakeProvider::start().await.unwrap());
    let settings = |id: &str, priority: u32| json!({"base_url": provider.url(), "api_key": id, "priority": priority, "first_byte_timeout_ms": 300});
    let providers = json!([{"id": "a", "settings": settings("a", 1)}, {"id": "b", "settings": settings("b", 2)}]);
    put(&node, "/v1/providers/openai", &json!({"settings": {"strategy": "priority"}, "providers": providers})).await;
    provider.behave("a", Behaviour { silent_after: Some(0), ..Behaviour::default() });
    let answer = node.request("POST", CHAT, &hello(false).to_string()).await;
    assert_eq!((answer.status, answer.header("mainstay-provider")), (200, Some("b")), "{answer:?}");
    assert_eq!((provider.count("a"), counted(&node, "openai").await), (1, 2));
}

async fn what_is_under_way_at_the_end_is_finished_and_settled_within_the_grace(bed: Bed) {
    let (node, provider) = (bed.serve("node").await, FakeProvider::start().await.unwrap());
    pool(&node, &provider, "openai", &["a"]).await;
    provider.behave("a", Behaviour { pause: Duration::from_millis(300), ..Behaviour::default() });
    let (secret, id) = key(&node, json!({"name": "ada"})).await;
    let mut stream = TcpStream::connect(("127.0.0.1", node.port)).await.unwrap();
    stream.write_all(&question(&secret, CHAT, &hello(true))).await.unwrap();
    let mut first = [0; 64];
    stream.read_exact(&mut first).await.unwrap();
    let mut process = node.process;
    process.running.signal(rustix::process::Signal::TERM);
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(String::from_utf8_lossy(&rest).contains("[DONE]"), "{}", String::from_utf8_lossy(&rest));
    eventually("the server to end", || match process.running.child().try_wait().unwrap() {
        Some(status) if status.success() => Ok(()),
        Some(status) => panic!("{status}: {}", process.errors()),
        None => Err(process.errors()),
    })
    .await;
    let again = bed.serve("again").await;
    let rows = usage(&again, &id, 1).await;
    assert_eq!((rows[0]["failed"].as_u64(), rows[0]["output_tokens"].as_u64()), (Some(0), Some(7)), "{rows:?}");
}
