//! Checks of providers, and what circuits tell, on nodes that share a store.

use crate::support::{Call, SOON, Setup, Site};
use mainstay_core::api::providers::{PoolType, ProviderId};
use mainstay_core::api::{Namespace, RawJson};
use mainstay_core::providers::{
    BreakerState, ChangePool, PoolChange, PoolName, PoolOutcome, ReplacePool, SeededProvider, StandBreaker, Traits,
};
use mainstay_core::{Clock, FakeClock};
use mainstay_server::{Checking, CircuitLook};
use mainstay_testkit::fixtures::{Behaviour, FakeProvider, StatusAnswer};
use serde_json::{Value, json};
use std::sync::Arc;

/// Two nodes on one store, before a provider that behaves as it likes.
struct House {
    nodes: [Site; 2],
    clock: Arc<FakeClock>,
    provider: FakeProvider,
}

impl House {
    /// One on each kind of store.
    async fn each() -> Vec<Self> {
        let mut houses = Vec::new();
        for redis in [true, false] {
            let clock = Arc::new(FakeClock::at(1_800_000_000_000));
            let setup = || Setup { clock: Arc::clone(&clock) as Arc<dyn Clock>, ..Setup::default() };
            let first = if redis { Site::start_with(setup()).await } else { Site::on_file(setup()).await };
            let second = first.beside_with(setup()).await;
            houses.push(Self { nodes: [first, second], clock, provider: FakeProvider::start().await.unwrap() });
        }
        houses
    }

    /// The pool `main` with one provider, whose circuit opens with its first failure.
    async fn pool(&self) {
        let body = json!({
            "base_url": self.provider.url(), "api_key": "a", "check": {"enabled": true, "model": "small", "interval_seconds": 5},
        });
        let settings =
            json!({"protocol": "openai", "breaker": {"max_errors": 1, "open_for_ms": 10_000, "successes_to_close": 2}});
        let seeded = SeededProvider {
            id: ProviderId::parse("a").unwrap(),
            body: RawJson::parse(&body.to_string()).unwrap(),
            traits: Traits::default(),
            seal_key: None,
            health: None,
            counters: None,
        };
        let replace = ReplacePool { settings: RawJson::parse(&settings.to_string()).unwrap(), providers: vec![seeded] };
        let change = ChangePool {
            pool: main(),
            change: PoolChange::Replace(replace),
            expected: None,
            max_providers: 10,
            now: self.clock.now(),
        };
        let changed = self.nodes[0].stores.providers.change(change).await.unwrap();
        assert!(matches!(changed, PoolOutcome::Changed(_)));
    }

    async fn check(&self) {
        for node in &self.nodes {
            Checking::default().run_once(&node.services).await.unwrap();
        }
    }

    async fn look(&self) {
        for node in &self.nodes {
            CircuitLook::default().run_once(&node.services).await.unwrap();
        }
    }

    /// What the stream has, once every node has told what it had to.
    async fn events(&self) -> Vec<Value> {
        for node in &self.nodes {
            node.services.circuits.close(SOON).await;
        }
        let page = self.nodes[0].call(Call::get("/v1/events/gateway")).await.ok().await;
        page["events"].as_array().unwrap().clone()
    }

    async fn stand(&self, state: BreakerState) {
        let stand = StandBreaker {
            pool: main(),
            provider: ProviderId::parse("a").unwrap(),
            state,
            reason: "maintenance".into(),
            now: self.clock.now(),
        };
        self.nodes[0].stores.providers.stand(stand).await.unwrap();
    }
}

fn main() -> PoolName {
    PoolName { namespace: Namespace::default(), pool: PoolType::parse("main").unwrap() }
}

fn broken() -> Behaviour {
    let answer = StatusAnswer { status: 500, headers: Vec::new(), body: "{}".into() };
    Behaviour { status: Some(answer), ..Behaviour::default() }
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_circuit_tells_of_each_change_once_over_all_nodes_and_checks_close_it() {
    for house in House::each().await {
        house.pool().await;
        house.provider.behave("a", broken());
        let hello = json!({"model": "m", "messages": [{"role": "user", "content": "Hello"}]});
        let ask = || Call::post("/main/v1/chat/completions", hello.clone());
        let (first, second) = tokio::join!(house.nodes[0].call(ask()), house.nodes[1].call(ask()));
        let (first, second) = (first.status.as_u16(), second.status.as_u16());
        assert!([500, 503, 529].contains(&first) && [500, 503, 529].contains(&second), "{first} {second}");
        house.provider.behave("a", Behaviour::default());
        let before = house.provider.heard().len();
        house.check().await;
        assert_eq!(house.provider.heard().len(), before, "it may not be probed yet");
        for _ in 0..2 {
            house.look().await;
            house.clock.advance(12_000);
            house.check().await;
        }
        house.look().await;
        assert_eq!(house.provider.heard().len(), before + 2, "of two nodes one checks");
        let events = house.events().await;
        assert_eq!(kinds(&events), ["circuit.opened", "circuit.half_open", "circuit.closed"]);
        assert_eq!((events[0]["room"].as_str(), events[0]["timestamp"].is_string()), (Some("main"), true));
        let payload = &events[0]["payload"];
        for (member, value) in [("pool", "main"), ("provider", "a"), ("from", "closed"), ("state", "open")] {
            assert_eq!(payload[member], value, "{payload}");
        }
        assert!(payload["reason"].as_str().unwrap().starts_with("1 failures within"), "{payload}");
        let mut metrics = String::new();
        for node in &house.nodes {
            metrics += &node.call(Call::get("/metrics")).await.text().await;
        }
        for state in ["open", "half_open", "closed"] {
            let line = format!("mainstay_gateway_circuit_transitions_total{{pool=\"main\",state=\"{state}\"}} 1");
            assert_eq!(metrics.matches(&line).count(), 1, "{line}\n{metrics}");
        }
        assert!(metrics.contains("mainstay_gateway_checks_total{pool=\"main\",outcome=\"healthy\"}"), "{metrics}");
    }
}

#[tokio::test]
async fn a_change_that_whoever_made_it_could_not_tell_of_is_found_and_told_of_once() {
    for house in House::each().await {
        house.pool().await;
        house.look().await;
        house.stand(BreakerState::ForcedOpen).await;
        house.clock.advance(1_000);
        house.stand(BreakerState::ForcedOpen).await;
        house.look().await;
        house.look().await;
        house.clock.advance(1_000);
        house.stand(BreakerState::Closed).await;
        house.look().await;
        let events = house.events().await;
        assert_eq!(kinds(&events), ["circuit.forced", "circuit.closed"]);
        assert_eq!(events[0]["payload"]["reason"], "maintenance");
        house.clock.advance(600_000);
        house.look().await;
        assert_eq!(house.events().await.len(), 2, "what is long past is told of no more");
    }
}
