//! Gateway keys on Redis, as several nodes and crashes see them.

use mainstay_core::api::gateway::{CreateGatewayKey, GatewayLimits, ImportGatewayKeys, ListGatewayUsage};
use mainstay_core::api::providers::{LeaseId, PoolType, ProviderId};
use mainstay_core::api::{Code, RawJson};
use mainstay_core::providers::keys::{
    Ask, GatewayKeyService, KeyRules, Meter, PriceTable, Reserve, Settlement, Spent, Ticket, day_of,
};
use mainstay_core::secrets::KeyRing;
use mainstay_core::{Caller, Clock, RandomMint, Result, Stores, SystemClock};
use mainstay_redis::RedisOptions;
use mainstay_testkit::fixtures::{RedisCluster, RedisServer};
use std::sync::Arc;
use std::time::Duration;

/// A node: its own connection, and nothing that it shares with another.
struct Node {
    stores: Stores,
    keys: GatewayKeyService,
    meter: Meter,
}

impl Node {
    async fn on(url: &str, ring: &KeyRing) -> Self {
        let stores = mainstay_redis::open(RedisOptions::from_url(url).unwrap()).await.unwrap();
        let rules = KeyRules { ring: Some(ring.clone()), ..KeyRules::default() };
        let (store, clock) = (stores.gateway_keys.clone(), Arc::new(SystemClock));
        let keys = GatewayKeyService::new(store.clone(), clock.clone(), Arc::new(RandomMint), rules);
        Self { stores, keys, meter: Meter::new(store, clock, Arc::new(())) }
    }

    async fn ask(&self, secret: &str, request: &str, flight: Duration) -> Result<Ticket> {
        let request = LeaseId::parse(request).unwrap();
        let reserve = Reserve { tokens: 10, cost: 5 };
        self.meter.admit(Ask { secret, request, model: Some("m"), pool: None, reserve, flight }).await
    }

    async fn settle(&self, ticket: &Ticket) -> Result<bool> {
        let (pool, provider) = (PoolType::parse("openai").unwrap(), ProviderId::parse("p1").unwrap());
        let spent = Spent { input_tokens: 1, output_tokens: 1, reported: true, ..Spent::default() };
        let settlement = Settlement { pool, provider, model: "m", spent, failed: false };
        self.meter.settle(ticket, settlement, &PriceTable::default()).await
    }

    async fn requests_used(&self) -> u64 {
        let usage = self.keys.usage(&Caller::owner(), ListGatewayUsage::default()).await.unwrap();
        usage.items.iter().map(|row| row.requests).sum()
    }
}

async fn key(node: &Node, limits: GatewayLimits) -> String {
    let create = CreateGatewayKey { name: "ada".into(), limits, ..CreateGatewayKey::default() };
    node.keys.create(&Caller::owner(), create).await.unwrap().secret
}

async fn of_a_hundred_at_once_forty(url: &str) {
    let ring = KeyRing::generate().unwrap();
    let nodes = [Node::on(url, &ring).await, Node::on(url, &ring).await];
    let limits = GatewayLimits { requests_per_minute: Some(40), ..GatewayLimits::default() };
    let secret = key(&nodes[0], limits).await;
    let asked = (0..100).map(|nth| {
        let (node, request) = (&nodes[nth % 2], format!("r{nth}"));
        let secret = &secret;
        async move { node.ask(secret, &request, Duration::from_secs(60)).await }
    });
    let (admitted, refused): (Vec<_>, Vec<_>) =
        futures::future::join_all(asked).await.into_iter().partition(Result::is_ok);
    assert_eq!(admitted.len(), 40);
    assert!(refused.iter().all(|refused| refused.as_ref().is_err_and(|e| e.code() == Code::GatewayLimited)));
    // Every request is settled by both nodes at once, as if each had been told that it is over.
    let settled = admitted.iter().flatten().flat_map(|ticket| nodes.iter().map(|node| node.settle(ticket)));
    let settled = futures::future::try_join_all(settled).await.unwrap();
    assert_eq!(settled.iter().filter(|counted| **counted).count(), 40);
    assert_eq!(nodes[1].requests_used().await, 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hundred_requests_on_two_nodes_as_many_are_let_in_as_there_is_room() {
    let server = RedisServer::start().await.unwrap();
    of_a_hundred_at_once_forty(&server.url()).await;
    let cluster = RedisCluster::start().await.unwrap();
    of_a_hundred_at_once_forty(&cluster.url()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_dies_leaves_what_it_reserved_counted_and_its_places_free_in_time() {
    let server = RedisServer::start().await.unwrap();
    let ring = KeyRing::generate().unwrap();
    let (dying, other) = (Node::on(&server.url(), &ring).await, Node::on(&server.url(), &ring).await);
    let limits = GatewayLimits { in_flight: Some(1), budget_millionths: Some(10), ..GatewayLimits::default() };
    let secret = key(&dying, limits).await;
    let flight = Duration::from_millis(600);
    dying.ask(&secret, "r1", flight).await.unwrap();
    dying.stores.probe.close().await;
    drop(dying);
    assert_eq!(other.ask(&secret, "r2", flight).await.unwrap_err().code(), Code::GatewayLimited);
    tokio::time::sleep(flight).await;
    other.ask(&secret, "r2", flight).await.unwrap();
    tokio::time::sleep(flight).await;
    let spent = other.ask(&secret, "r3", flight).await.unwrap_err();
    assert_eq!(spent.code(), Code::GatewayBudgetSpent, "what either reserved stays counted");
}

#[tokio::test]
async fn usage_that_a_crash_kept_from_being_counted_is_counted_by_maintenance_once() {
    let server = RedisServer::start().await.unwrap();
    let node = Node::on(&server.url(), &KeyRing::generate().unwrap()).await;
    let secret = key(&node, GatewayLimits::default()).await;
    let ticket = node.ask(&secret, "r1", Duration::from_secs(60)).await.unwrap();
    // The second step of settling fails, as it would where the node dies before it.
    let today = day_of(SystemClock.now());
    let seen = format!("mainstay:{{gwuse:default:{today}}}:seen");
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let _: () = redis::cmd("SET").arg(&seen).arg("in the way").query_async(&mut connection).await.unwrap();
    assert!(node.settle(&ticket).await.is_err());
    let _: () = redis::cmd("DEL").arg(&seen).query_async(&mut connection).await.unwrap();
    assert_eq!(node.requests_used().await, 0);
    for _ in 0..3 {
        node.keys.purge().await.unwrap();
        assert_eq!(node.requests_used().await, 1);
    }
    assert!(!node.settle(&ticket).await.unwrap(), "it is counted");
    assert_eq!(node.requests_used().await, 1);
    let left: Vec<String> = redis::cmd("KEYS").arg("*unposted").query_async(&mut connection).await.unwrap();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn no_secret_stands_in_the_store() {
    let server = RedisServer::start().await.unwrap();
    let node = Node::on(&server.url(), &KeyRing::generate().unwrap()).await;
    let secret = key(&node, GatewayLimits::default()).await;
    let imported = "maki_cb1bf70842c0305ed18f39b1259501a7";
    let file = RawJson::parse(&format!(r#"{{"keys":{{"{imported}":{{"id":"{imported}","name":"b"}}}}}}"#)).unwrap();
    node.keys.import(&Caller::owner(), ImportGatewayKeys { file, dry_run: false }).await.unwrap();
    for secret in [secret.as_str(), imported] {
        let ticket = node.ask(secret, "r1", Duration::from_secs(60)).await.unwrap();
        node.settle(&ticket).await.unwrap();
    }
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
    assert!(keys.len() > 5);
    // A dump that is compressed would hide what it holds.
    let plain = redis::cmd("CONFIG").arg("SET").arg("rdbcompression").arg("no").to_owned();
    let _: () = plain.query_async(&mut connection).await.unwrap();
    for key in keys {
        let dump: Vec<u8> = redis::cmd("DUMP").arg(&key).query_async(&mut connection).await.unwrap();
        for secret in [secret.as_str(), &secret[4..], imported, &imported[5..]] {
            assert!(!key.contains(secret), "{key}");
            assert!(!dump.windows(secret.len()).any(|part| part == secret.as_bytes()), "{key} holds a secret");
        }
    }
}
