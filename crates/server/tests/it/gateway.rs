//! The routes of the gateway, on pools, keys and documents of both stores.

use crate::support::{Call, KEY, SOON, Setup, Site};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use mainstay_core::api::providers::{PoolType, ProviderId};
use mainstay_core::api::{Namespace, RawJson};
use mainstay_core::identity::IdentityRules;
use mainstay_core::providers::{ChangePool, PoolChange, PoolName, PoolOutcome, ReplacePool, SeededProvider, Traits};
use mainstay_core::secrets::KeyRing;
use mainstay_testkit::fixtures::{Behaviour, FakeProvider};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A site with a gateway, and the provider behind its pools.
struct Bed {
    site: Site,
    provider: FakeProvider,
}

impl Bed {
    /// On each kind of store, with a pool for each protocol.
    async fn each() -> [Self; 2] {
        let setup = || {
            let ring = Some(KeyRing::generate().unwrap());
            Setup { identity: IdentityRules { ring, ..IdentityRules::default() }, ..Setup::default() }
        };
        let sites = [Site::start_with(setup()).await, Site::on_file(setup()).await];
        let [redis, file] = sites.map(|site| async {
            let bed = Self { site, provider: FakeProvider::start().await.unwrap() };
            for pool in ["openai", "anthropic", "gemini"] {
                bed.pool(pool, &["a", "b"]).await;
            }
            bed
        });
        [redis.await, file.await]
    }

    /// A pool whose name says what it speaks; each provider has its own name as key.
    async fn pool(&self, name: &str, ids: &[&str]) {
        let seeded = |id: &&str| {
            let body = json!({"base_url": self.provider.url(), "api_key": id, "models": ["small"]});
            SeededProvider {
                id: ProviderId::parse(*id).unwrap(),
                body: RawJson::parse(&body.to_string()).unwrap(),
                traits: Traits::default(),
                seal_key: None,
                health: None,
                counters: None,
            }
        };
        let providers = ids.iter().map(seeded).collect();
        let change = ChangePool {
            pool: PoolName { namespace: Namespace::default(), pool: PoolType::parse(name).unwrap() },
            change: PoolChange::Replace(ReplacePool { settings: RawJson::parse("{}").unwrap(), providers }),
            expected: None,
            max_providers: 10,
            now: self.site.services.clock.now(),
        };
        let made = self.site.stores.providers.change(change).await.unwrap();
        assert!(matches!(made, PoolOutcome::Changed(_)), "{made:?}");
    }

    /// A gateway key.
    async fn key(&self, wanted: Value) -> (String, String) {
        let made = self.site.call(Call::post("/v1/gateway/keys", wanted)).await.json().await;
        (made["secret"].as_str().unwrap().to_owned(), made["id"].as_str().unwrap().to_owned())
    }

    async fn document(&self, name: &str, value: Value) {
        let call = Call::new(Method::PUT, &format!("/v1/documents/settings/{name}"));
        let put = self.site.call(call.body(value.to_string())).await;
        assert!(put.status.is_success(), "{}", put.text().await);
    }

    /// What somebody used in all, once so many requests are settled.
    async fn usage(&self, who: &str, requests: u64) -> Value {
        let started = Instant::now();
        loop {
            let page = self.site.call(Call::get(&format!("/v1/gateway/usage?key={who}"))).await.ok().await;
            let rows = page["items"].as_array().unwrap();
            if rows.iter().map(|row| row["requests"].as_u64().unwrap()).sum::<u64>() >= requests {
                let sum = |member: &str| rows.iter().map(|row| row[member].as_u64().unwrap()).sum::<u64>();
                let estimated = rows.iter().any(|row| row["estimated"] == true);
                return json!({
                    "requests": sum("requests"), "input_tokens": sum("input_tokens"), "estimated": estimated,
                    "output_tokens": sum("output_tokens"), "cost_millionths": sum("cost_millionths"),
                });
            }
            assert!(started.elapsed() < SOON, "never settled: {page}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Looks until it is so.
async fn until<F: Future<Output = bool>>(what: &str, mut look: impl FnMut() -> F) {
    let started = Instant::now();
    while !look().await {
        assert!(started.elapsed() < SOON, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

const CHAT: &str = "/openai/v1/chat/completions";

fn hello() -> Value {
    json!({"model": "small", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]})
}

#[tokio::test]
async fn a_pool_is_named_by_path_or_header_and_each_path_speaks_its_protocol() {
    for Bed { site, provider } in Bed::each().await {
        let said = site.call(Call::post(CHAT, hello())).await.json().await;
        assert_eq!(said["choices"][0]["message"]["content"], "You said: Hello");
        let call = Call::post("/v1/messages", hello()).header("model-provider", "gemini");
        let said = site.call(call).await.json().await;
        assert_eq!(said["content"][0]["text"], "You said: Hello");
        let ask = json!({"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]});
        let said = site.call(Call::post("/anthropic/v1beta/models/small:generateContent", ask)).await.json().await;
        assert_eq!(said["candidates"][0]["content"]["parts"][0]["text"], "You said: Hello");
        let said = site.call(Call::post("/forward/openai/any/path?q=1", json!({"a": 1}))).await.json().await;
        assert_eq!(said["path"], "/any/path?q=1");
        let climbing = site.call(Call::post("/forward/openai/a/%2e%2e/b", json!({}))).await;
        assert_eq!(climbing.status, StatusCode::BAD_REQUEST);
        let listed = site.call(Call::get("/v1/models")).await.json().await;
        assert_eq!((listed["data"][0]["id"].as_str(), listed["data"][1].is_null()), (Some("small"), true));
        assert_eq!(provider.heard().len(), 4);
    }
}

#[tokio::test]
async fn who_may_not_ask_is_told_so_in_the_protocol_and_in_the_trail() {
    for bed in Bed::each().await {
        let Bed { site, provider } = &bed;
        let nobody = site.call(Call::anonymous(Method::POST, "/v1/messages")).await;
        assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
        let said = nobody.json().await;
        assert_eq!(
            (said["type"].as_str(), said["error"]["type"].as_str()),
            (Some("error"), Some("authentication_error"))
        );
        let key = site.key(&["mail:read"]).await;
        let other = site.call(Call::post(CHAT, hello()).with(&key.token)).await;
        assert_eq!(other.status, StatusCode::FORBIDDEN);
        assert_eq!(other.json().await["error"]["type"], "permission_error");
        let key = site.key(&["gateway:use"]).await;
        assert_eq!(site.call(Call::post(CHAT, hello()).with(&key.token)).await.status, StatusCode::OK);
        let (secret, _) = bed.key(json!({"name": "others", "models": ["other*"]})).await;
        let forbidden = [(CHAT, hello()), ("/forward/openai/v1/chat/completions", hello())];
        for (path, body) in forbidden {
            let refused = site.call(Call::post(path, body).with(&secret)).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
        }
        let (secret, _) = bed.key(json!({"name": "elsewhere", "pools": ["gemini"]})).await;
        assert_eq!(site.call(Call::post(CHAT, hello()).with(&secret)).await.status, StatusCode::FORBIDDEN);
        let unknown = site.call(Call::post(CHAT, hello()).with("mgw_unknown")).await;
        assert_eq!(unknown.status, StatusCode::UNAUTHORIZED);
        assert_eq!(provider.heard().len(), 1);
        let metrics = site.call(Call::get("/metrics")).await.text().await;
        for line in [
            r#"mainstay_access_refused_total{code="auth.credential_missing"} 1"#,
            r#"mainstay_access_refused_total{code="auth.forbidden"} 4"#,
            r#"mainstay_gateway_in_flight 0"#,
        ] {
            assert!(metrics.contains(line), "{line}\n{metrics}");
        }
    }
}

#[tokio::test]
async fn a_body_beyond_its_bound_is_refused_in_the_protocol() {
    let [Bed { site, .. }, _] = Bed::each().await;
    let body = "x".repeat(11 * 1_024 * 1_024);
    let request = Request::post("/v1beta/models/small:generateContent").header("x-goog-api-key", KEY);
    let request = request.extension(mainstay_server::InProcess).body(body.into()).unwrap();
    let refused = site.send(request).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(refused.json().await["error"]["status"], "INVALID_ARGUMENT");
}

#[tokio::test]
async fn what_a_key_asks_for_is_limited_settled_at_the_prices_and_free_where_nothing_was_sent() {
    for bed in Bed::each().await {
        bed.document("prices", json!({"models": {"small": {"input": 1, "output": 1_000}}})).await;
        let limits = json!({"requests_per_day": 2, "budget_millionths": 20_000, "budget_period": "day"});
        let (secret, id) = bed.key(json!({"name": "ada", "limits": limits})).await;
        let ask = |path: &str| bed.site.call(Call::post(path, hello()).with(&secret));
        assert_eq!(ask("/nowhere/v1/chat/completions").await.status, StatusCode::NOT_FOUND);
        let path = format!("/v1/gateway/keys/{id}");
        until("what was not sent is taken back", || async {
            bed.site.call(Call::get(&path)).await.ok().await["used"]["requests"] == 0
        })
        .await;
        let (first, second) = (ask(CHAT).await, ask(CHAT).await);
        assert_eq!((first.status, second.status), (StatusCode::OK, StatusCode::OK));
        let refused = ask(CHAT).await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        let row = bed.usage(&id, 2).await;
        assert_eq!((row["input_tokens"].as_u64(), row["output_tokens"].as_u64()), (Some(22), Some(14)), "{row}");
        assert_eq!(row["cost_millionths"], 2 * (11 + 7 * 1_000), "{row}");
        assert_eq!(bed.provider.heard().len(), 2);
    }
}

#[tokio::test]
async fn a_client_that_goes_away_is_billed_for_what_it_received() {
    for bed in Bed::each().await {
        for provider in ["a", "b"] {
            let slow = Behaviour { pause: Duration::from_millis(50), ..Behaviour::default() };
            bed.provider.behave(provider, slow);
        }
        let (secret, id) = bed.key(json!({"name": "ada"})).await;
        let mut ask = hello();
        ask["stream"] = true.into();
        let mut reply = bed.site.call(Call::post(CHAT, ask).with(&secret)).await;
        let mut taken = String::new();
        while !taken.contains("You") {
            let frame = tokio::time::timeout(SOON, reply.body.frame()).await.unwrap().unwrap().unwrap();
            taken.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
        }
        drop(reply);
        let row = bed.usage(&id, 1).await;
        assert!(row["output_tokens"].as_u64() > Some(0) && row["estimated"] == true, "{row}");
        until("the upstream is told", || async { bed.provider.gone() == 1 }).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_settings_holds_from_then_on_and_fails_no_request_under_way() {
    for bed in Bed::each().await {
        bed.pool("second", &["c"]).await;
        bed.document("gateway", json!({"default_pools": ["openai"]})).await;
        let bed = Arc::new(bed);
        let over = Arc::new(AtomicBool::new(false));
        let load: Vec<_> = (0..4)
            .map(|_| {
                let (bed, over) = (Arc::clone(&bed), Arc::clone(&over));
                tokio::spawn(async move {
                    let mut asked = 0;
                    while !over.load(Ordering::Relaxed) {
                        let reply = bed.site.call(Call::post("/v1/chat/completions", hello())).await;
                        assert_eq!(reply.status, StatusCode::OK);
                        asked += 1;
                    }
                    asked
                })
            })
            .collect();
        for round in 0..6 {
            let (pool, keys) = if round % 2 == 0 { ("second", &["c"][..]) } else { ("openai", &["a", "b"][..]) };
            bed.document("gateway", json!({"default_pools": [pool]})).await;
            // Whoever asks from some moment on is answered by the other pool alone.
            let started = Instant::now();
            loop {
                let before = bed.provider.heard().len();
                while bed.provider.heard().len() < before + 8 {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                if bed.provider.heard()[before..].iter().all(|heard| keys.contains(&heard.key.as_str())) {
                    break;
                }
                assert!(started.elapsed() < SOON, "the change of {pool} never holds");
            }
        }
        over.store(true, Ordering::Relaxed);
        let mut asked = 0;
        for task in load {
            asked += task.await.unwrap();
        }
        assert_eq!(bed.provider.heard().len(), asked);
    }
}
