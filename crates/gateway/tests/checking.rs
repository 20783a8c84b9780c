//! Active checks before a provider that behaves as it likes, on the reference model of the store.

#[path = "serving/bed.rs"]
#[expect(dead_code, reason = "the tests of serving use the rest")]
mod bed;

use bed::Desk;
use mainstay_core::api::providers::{PoolType, ProviderId};
use mainstay_core::api::{Namespace, RawJson};
use mainstay_core::providers::{
    BreakerState, ChangePool, PoolChange, PoolName, PoolOutcome, ProviderRecord, ReplacePool, SeededProvider, Traits,
};
use mainstay_core::{Clock, FakeClock, RandomMint, Stores};
use mainstay_gateway::Book;
use mainstay_gateway::checking::Checks;
use mainstay_gateway::serving::{Gateway, GatewayParts, GatewayRules};
use mainstay_testkit::fixtures::{Behaviour, FakeProvider, StatusAnswer};
use mainstay_testkit::model;
use serde_json::{Value, json};
use std::sync::Arc;

/// An installation: pools in a store, and a clock.
struct House {
    stores: Stores,
    clock: Arc<FakeClock>,
    provider: FakeProvider,
}

impl House {
    async fn new() -> Self {
        let clock = Arc::new(FakeClock::at(1_800_000_000_000));
        Self { stores: model::stores(), clock, provider: FakeProvider::start().await.unwrap() }
    }

    /// A node. Its credentials come from nowhere, and give `token-1`, `token-2` and so on.
    fn node(&self, name: &str) -> Gateway {
        let desk = Arc::new(Desk::default());
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        Gateway::new(GatewayParts {
            store: Arc::clone(&self.stores.providers),
            book: Arc::new(Book::new(Arc::clone(&self.stores.providers), None, Arc::clone(&clock))),
            tokens: Arc::clone(&desk) as _,
            till: Arc::clone(&desk) as _,
            routing: Arc::clone(&desk) as _,
            observer: desk as _,
            clock,
            mint: Arc::new(RandomMint),
            node: name.into(),
            rules: GatewayRules::default(),
        })
    }

    fn name(pool: &str) -> PoolName {
        PoolName { namespace: Namespace::default(), pool: PoolType::parse(pool).unwrap() }
    }

    /// A pool of providers; each shows its own name as key.
    async fn pool(&self, pool: &str, settings: &Value, providers: &[(&str, Value)]) {
        let provider = |(id, body): &(&str, Value)| {
            let mut body = body.clone();
            body["base_url"] = json!(self.provider.url());
            body["api_key"] = json!(id);
            SeededProvider {
                id: ProviderId::parse(*id).unwrap(),
                traits: Traits { disabled: body["disabled"] == true, ..Traits::default() },
                body: RawJson::parse(&body.to_string()).unwrap(),
                seal_key: None,
                health: None,
                counters: None,
            }
        };
        let providers = providers.iter().map(provider).collect();
        let change = ChangePool {
            pool: Self::name(pool),
            change: PoolChange::Replace(ReplacePool {
                settings: RawJson::parse(&settings.to_string()).unwrap(),
                providers,
            }),
            expected: None,
            max_providers: 100,
            now: self.clock.now(),
        };
        assert!(matches!(self.stores.providers.change(change).await.unwrap(), PoolOutcome::Changed(_)));
    }

    async fn record(&self, pool: &str, id: &str) -> ProviderRecord {
        let id = ProviderId::parse(id).unwrap();
        self.stores.providers.provider(&Self::name(pool), &id, self.clock.now()).await.unwrap().unwrap()
    }

    fn later(&self, seconds: i64) {
        self.clock.advance(seconds * 1_000);
    }
}

fn checked() -> Value {
    json!({"check": {"enabled": true, "model": "small", "interval_seconds": 60}})
}

fn status(status: u16) -> Behaviour {
    let answer = StatusAnswer { status, headers: Vec::new(), body: r#"{"error":{"message":"no"}}"#.into() };
    Behaviour { status: Some(answer), ..Behaviour::default() }
}

#[tokio::test]
async fn nothing_is_sent_where_no_check_is_asked_for() {
    let house = House::new().await;
    let mut off = checked();
    off["disabled"] = json!(true);
    house
        .pool("openai-custom", &json!({}), &[("a", json!({})), ("b", json!({"checkHealth": false})), ("c", off)])
        .await;
    let node = house.node("n1");
    for _ in 0..3 {
        assert_eq!(node.check_due().await.unwrap(), Checks::default());
        house.later(3_600);
    }
    assert!(house.provider.heard().is_empty());
}

#[tokio::test]
async fn each_protocol_is_asked_one_small_question_that_counts_as_no_request() {
    let house = House::new().await;
    for (pool, path) in [
        ("openai-custom", "/v1/chat/completions"),
        ("claude-custom", "/v1/messages"),
        ("gemini-cli", "/v1beta/models/small:generateContent"),
        ("forward-api", "/health"),
    ] {
        let mut body = checked();
        body["check"]["path"] = json!("health");
        house.pool(pool, &json!({}), &[(pool, body)]).await;
        let before = house.provider.heard().len();
        let checks = house.node("n1").check_due().await.unwrap();
        assert_eq!(checks, Checks { healthy: 1, ..Checks::default() }, "{pool}");
        let heard = house.provider.heard();
        assert_eq!((heard.len(), heard[before].path.as_str(), heard[before].key.as_str()), (before + 1, path, pool));
        let record = house.record(pool, pool).await;
        assert_eq!(record.health.checked, Some((house.clock.now(), Some("small".into()))));
        assert_eq!((record.counters.requests, record.in_flight), (0, 0));
    }
}

#[tokio::test]
async fn of_all_nodes_one_asks_in_the_time_of_a_provider() {
    let house = House::new().await;
    house.pool("openai-custom", &json!({}), &[("a", checked()), ("b", checked())]).await;
    let nodes: Vec<Gateway> = ["n1", "n2", "n3"].map(|name| house.node(name)).into();
    for round in 1..=4 {
        for _ in 0..3 {
            futures::future::join_all(nodes.iter().map(Gateway::check_due)).await;
        }
        assert_eq!((house.provider.count("a"), house.provider.count("b")), (round, round));
        // Behind the latest of those that were spread.
        house.later(67);
    }
}

#[tokio::test]
async fn a_check_finds_a_provider_unhealthy_and_recovered_again() {
    let house = House::new().await;
    let settings = json!({"health": {"max_failures": 1, "retry_after_ms": 1}, "breaker": {"max_errors": 0}});
    house.pool("openai-custom", &settings, &[("a", checked())]).await;
    let node = house.node("n1");
    for behaviour in [
        status(503),
        Behaviour { cut_after: Some(0), ..Behaviour::default() },
        Behaviour {
            says: Some("no".into()),
            status: Some(StatusAnswer { status: 200, ..StatusAnswer::default() }),
            ..Behaviour::default()
        },
    ] {
        house.provider.behave("a", behaviour);
        assert_eq!(node.check_due().await.unwrap().failed, 1);
        assert!(house.record("openai-custom", "a").await.health.unhealthy);
        house.provider.behave("a", Behaviour::default());
        house.later(67);
        assert_eq!(node.check_due().await.unwrap().healthy, 1);
        assert!(!house.record("openai-custom", "a").await.health.unhealthy);
        house.later(67);
    }
    assert_eq!(house.record("openai-custom", "a").await.counters.errors, 0);
}

#[tokio::test]
async fn a_check_that_is_refused_says_nothing_of_the_provider() {
    let house = House::new().await;
    house.pool("openai-custom", &json!({"health": {"max_failures": 1}}), &[("a", checked())]).await;
    house.provider.behave("a", status(404));
    let checks = house.node("n1").check_due().await.unwrap();
    assert_eq!(checks, Checks { unclear: 1, ..Checks::default() });
    let health = house.record("openai-custom", "a").await.health;
    assert_eq!((health.unhealthy, health.failures), (false, 0));
}

#[tokio::test]
async fn an_open_circuit_is_checked_when_it_may_be_probed_and_closed_by_checks() {
    let house = House::new().await;
    let settings = json!({"breaker": {"max_errors": 1, "open_for_ms": 300_000, "successes_to_close": 2}});
    house.pool("openai-custom", &settings, &[("a", checked())]).await;
    let node = house.node("n1");
    house.provider.behave("a", status(500));
    node.check_due().await.unwrap();
    house.provider.behave("a", Behaviour::default());
    for (wait, count, state) in [
        (67, 1, BreakerState::Open),
        (67, 1, BreakerState::Open),
        (240, 2, BreakerState::HalfOpen),
        (67, 3, BreakerState::Closed),
    ] {
        house.later(wait);
        node.check_due().await.unwrap();
        assert_eq!(house.provider.count("a"), count, "{state:?}");
        assert_eq!(house.record("openai-custom", "a").await.breaker.state, state);
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_ends_with_the_time_of_the_check() {
    let house = House::new().await;
    let mut body = checked();
    body["check"]["timeout_ms"] = json!(100);
    house.pool("openai-custom", &json!({}), &[("a", body)]).await;
    house.provider.behave("a", Behaviour { silent_after: Some(0), ..Behaviour::default() });
    assert_eq!(house.node("n1").check_due().await.unwrap().failed, 1);
    let (_, why) = house.record("openai-custom", "a").await.health.last_failure.unwrap();
    assert_eq!(why, "it gave no answer within 100 ms");
}
