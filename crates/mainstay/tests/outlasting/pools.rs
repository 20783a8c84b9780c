//! Pools while their Redis is away.

use crate::node::{Node, id, pool, redis};
use mainstay_core::api::Code;
use mainstay_core::outage::{EntryState, Journal, JournalBounds, Phase};
use mainstay_core::providers::{Failure, FailureClass, Outcome, PoolChange, PoolOutcome};
use mainstay_testkit::fixtures::{FaultProxy, RedisServer, RedisServerOptions};

fn failed() -> Outcome {
    Outcome::Failed(Failure {
        class: FailureClass::Server,
        message: "503".into(),
        counts: true,
        condemns: true,
        retry_at: None,
        needs_refresh: false,
    })
}

/// A node that lost the store, and another one that still has it.
struct Parted {
    node: Node,
    other: Node,
    proxy: FaultProxy,
    _held: (RedisServer, tempfile::TempDir),
}

impl Parted {
    async fn start() -> Self {
        let (redis, folder) = (redis().await, tempfile::tempdir().unwrap());
        let (near, far) = (folder.path().join("near"), folder.path().join("far"));
        let proxy = FaultProxy::in_front_of(redis.port()).await.unwrap();
        let node = Node::start(proxy.port(), &far).await;
        node.seed().await;
        let other = Node::start(redis.port(), &near).await;
        proxy.refuse();
        proxy.drop_all();
        node.is_away().await;
        Self { node, other, proxy, _held: (redis, folder) }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn providers_are_chosen_from_the_copy_and_counted_in_the_store_exactly_once_afterwards() {
    let (redis, folder) = (redis().await, tempfile::tempdir().unwrap());
    let proxy = FaultProxy::in_front_of(redis.port()).await.unwrap();
    let node = Node::start(proxy.port(), folder.path()).await;
    node.seed().await;
    let before = node.chosen("before").await;
    node.finish("before", &before, Outcome::Success).await.unwrap();
    node.look().await;
    proxy.refuse();
    proxy.drop_all();
    node.is_away().await;

    let mut seen = [0_u64; 2];
    for number in 0..40 {
        let lease = format!("l{number}");
        let provider = node.chosen(&lease).await;
        assert_eq!(node.chosen(&lease).await, provider, "a choice that is repeated counts nothing");
        seen[usize::from(provider == id("b"))] += 1;
        node.finish(&lease, &provider, Outcome::Success).await.unwrap();
        if number % 10 == 0 {
            node.look().await;
        }
    }
    assert_eq!(seen[0] + seen[1], 40);
    assert!(seen.iter().all(|count| *count >= 19), "the rules hold on the copy: {seen:?}");
    let held = node.file.held().await.unwrap();
    assert_eq!(held.waiting, 1, "counts are joined: {held:?}");
    let unsent = node.chosen("unsent").await;
    node.finish("unsent", &unsent, Outcome::Unsent).await.unwrap();

    // The first attempt is applied, and nobody hears of it.
    proxy.pass();
    proxy.cut_after_command("keep_ms", 1);
    node.come_back().await;
    assert!(proxy.cuts() > 0, "the link was never cut");
    let (a, b) = (node.counted("a").await, node.counted("b").await);
    let first = u64::from(before == id("a"));
    assert_eq!((a.0, b.0), (seen[0] + first, seen[1] + 1 - first));
    assert_eq!(node.file.held().await.unwrap().waiting, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_use_that_was_given_during_the_outage_and_fails_after_it_is_an_error_in_the_store() {
    let (redis, folder) = (redis().await, tempfile::tempdir().unwrap());
    let node = Node::start(redis.port(), folder.path()).await;
    node.seed().await;
    redis.kill();
    node.is_away().await;
    let sick = node.chosen("l1").await;
    node.finish("l1", &sick, failed()).await.unwrap();
    let well = node.chosen("l2").await;
    assert_ne!(sick, well, "what failed is left alone on the copy");
    redis.restart().await.unwrap();
    node.come_back().await;
    node.finish("l2", &well, failed()).await.unwrap();
    node.look().await;
    assert_eq!((node.counted(sick.as_str()).await, node.counted(well.as_str()).await), ((1, 1), (1, 1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_restarted_during_the_outage_goes_on_with_its_pools_and_what_waits() {
    let (redis, folder) = (redis().await, tempfile::tempdir().unwrap());
    let node = Node::start(redis.port(), folder.path()).await;
    node.seed().await;
    redis.kill();
    node.is_away().await;
    assert!(matches!(node.patch("a", r#"{"weight": 3}"#).await, PoolOutcome::Changed(_)));
    node.chosen("l1").await;
    node.look().await;
    node.file.close().await;
    drop(node);

    let node = Node::start(redis.port(), folder.path()).await;
    let record = node.pools().pool(&pool(), node.now()).await.unwrap().unwrap();
    let body = record.providers.iter().find(|provider| provider.id == id("a")).unwrap().settings.body.clone();
    assert_eq!(body.as_str(), r#"{"weight": 3}"#);
    assert!(matches!(node.patch("a", r#"{"weight": 4}"#).await, PoolOutcome::Changed(_)));
    node.chosen("l2").await;
    redis.restart().await.unwrap();
    node.come_back().await;
    let stored = node.stores.providers.provider(&pool(), &id("a"), node.now()).await.unwrap().unwrap();
    assert_eq!(stored.settings.body.as_str(), r#"{"weight": 4}"#);
    let (a, b) = (node.counted("a").await, node.counted("b").await);
    assert_eq!(a.0 + b.0, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_a_pool_that_another_node_overtook_is_refused_with_what_builds_on_it() {
    let parted = Parted::start().await;
    let Parted { node, other, proxy, .. } = &parted;
    for weight in [3, 4] {
        let changed = node.patch("a", &format!(r#"{{"weight": {weight}}}"#)).await;
        assert!(matches!(changed, PoolOutcome::Changed(_)), "{changed:?}");
    }
    assert!(matches!(node.patch("b", r#"{"weight": 5}"#).await, PoolOutcome::Changed(_)));
    other.clock.advance(500);
    assert!(matches!(other.patch("a", r#"{"weight": 9}"#).await, PoolOutcome::Changed(_)));
    proxy.pass();
    node.come_back().await;
    let body = async |name: &str| {
        let found = node.pools().provider(&pool(), &id(name), node.now()).await.unwrap().unwrap();
        found.settings.body.as_str().to_owned()
    };
    assert_eq!(body("a").await, r#"{"weight": 9}"#, "a conflict is not forced");
    assert_eq!(body("b").await, r#"{"weight": 5}"#);
    let kept = node.file.entries(0, 10).await.unwrap();
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().all(|entry| matches!(entry.state, EntryState::Refused { .. })), "{kept:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_that_build_on_one_another_follow_a_revision_that_became_another() {
    let parted = Parted::start().await;
    let Parted { node, other, proxy, .. } = &parted;
    for weight in [3, 4, 5] {
        node.patch("a", &format!(r#"{{"weight": {weight}}}"#)).await;
    }
    // Another provider, later than all of them: their revisions are not free any more.
    other.clock.advance(60_000);
    other.patch("b", r#"{"weight": 9}"#).await;
    proxy.pass();
    node.come_back().await;
    let found = node.pools().provider(&pool(), &id("a"), node.now()).await.unwrap().unwrap();
    assert_eq!(found.settings.body.as_str(), r#"{"weight": 5}"#);
    assert!(node.file.entries(0, 10).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_without_its_pools_is_filled_by_an_operator_alone_and_a_pool_that_was_removed_is_no_such_sign() {
    let (redis, folder) = (RedisServerOptions::new().start().await.unwrap(), tempfile::tempdir().unwrap());
    let node = Node::start(redis.port(), folder.path()).await;
    node.seed().await;
    redis.kill();
    node.is_away().await;
    node.patch("a", r#"{"weight": 3}"#).await;
    redis.restart().await.unwrap();
    for _ in 0..50 {
        if matches!(node.look().await, Phase::Halted { .. }) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let Phase::Halted { reason, .. } = node.outage.standing.stood().phase else { panic!("it is not noticed") };
    assert!(reason.contains("1 pools of default are gone"), "{reason}");
    assert!(node.choose("l1").await.is_ok(), "the copy is still served");
    assert!(node.stores.providers.pools(&pool().namespace).await.unwrap().is_empty(), "a stale copy fills nothing");
    node.outage.replay(true);
    node.come_back().await;
    assert_eq!(node.file.held().await.unwrap().refused, 1, "there is no provider to change any more");

    assert!(matches!(node.change(PoolChange::Drop).await, PoolOutcome::NotFound));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_chosen_that_could_not_be_counted() {
    let (redis, folder) = (redis().await, tempfile::tempdir().unwrap());
    let node = Node::bounded(redis.port(), folder.path(), JournalBounds { max_entries: 1, max_bytes: 10_000 }).await;
    node.seed().await;
    redis.kill();
    node.is_away().await;
    node.patch("a", r#"{"weight": 3}"#).await;
    node.chosen("l1").await;
    node.look().await;
    let refused = node.choose("l2").await.unwrap_err();
    assert_eq!(refused.code(), Code::JournalFull);
    redis.restart().await.unwrap();
    node.come_back().await;
    node.look().await;
    let (a, b) = (node.counted("a").await, node.counted("b").await);
    assert_eq!(a.0 + b.0, 1, "what was counted waited in memory");
    node.chosen("l3").await;
}
