//! Links that are cut, servers that end.

use crate::worker::{AT_ONCE, NEVER, Worker, nth};
use mainstay_core::api::errors::{Applied, Code};
use mainstay_core::api::events::EventOffset;
use mainstay_core::events::{GroupState, TakeEvents, TakeOutcome};
use mainstay_core::{Clock, SystemClock};
use mainstay_testkit::fixtures::{FaultProxy, RedisSentinel, RedisServer, RedisServerOptions};
use std::time::Duration;

/// Far longer than any server takes to come back.
const LONG: Duration = Duration::from_secs(20);
const MOMENT: Duration = Duration::from_millis(200);

/// A worker behind a proxy, which has run every script once, and holds the event `a`.
async fn behind_a_proxy(server: &RedisServer) -> (FaultProxy, Worker, EventOffset) {
    let proxy = FaultProxy::in_front_of(server.port()).await.unwrap();
    let worker = Worker::at(&format!("redis://127.0.0.1:{}", proxy.port()), "one").await;
    let warm = worker.publish(&["warm 1", "warm 2"]).await;
    assert_eq!(worker.take(NEVER).await.len(), 2);
    assert!(worker.release(warm[0]).await && worker.bury(warm[0]).await);
    assert_eq!(worker.keep(&warm).await, warm[1..]);
    assert_eq!((worker.acknowledge(&warm).await, worker.dead().await.len()), (1, 1));
    assert!(worker.groups.forget(&worker.key, warm[0]).await.unwrap());
    let offset = worker.publish(&["a"]).await[0];
    assert_eq!(worker.take(NEVER).await, nth(1, &["a"]));
    (proxy, worker, offset)
}

#[tokio::test]
async fn a_link_that_is_cut_around_a_take_loses_nothing_and_says_that_it_may_have_taken() {
    let server = RedisServer::start().await.unwrap();
    let (proxy, worker, _) = behind_a_proxy(&server).await;
    worker.publish(&["b"]).await;
    proxy.cut_before_command("EVALSHA", 1);
    let error = worker.try_take(NEVER).await.unwrap_err();
    assert_eq!((error.code(), error.problem.applied), (Code::StoreUnavailable, Applied::Unknown));
    assert_eq!(worker.take(NEVER).await, nth(1, &["b"]), "it had not been taken");

    worker.publish(&["c"]).await;
    proxy.cut_after_command("EVALSHA", 1);
    let error = worker.try_take(NEVER).await.unwrap_err();
    assert_eq!((error.code(), error.problem.applied), (Code::StoreUnavailable, Applied::Unknown));
    assert_eq!(proxy.cuts(), 2);
    assert_eq!(worker.take(NEVER).await, vec![], "it was taken, once");
    assert_eq!(worker.take(AT_ONCE).await, nth(2, &["a", "b", "c"]), "and comes back by its idleness");
}

#[tokio::test]
async fn a_link_that_is_cut_around_an_acknowledgement_acknowledges_once() {
    let server = RedisServer::start().await.unwrap();
    let (proxy, worker, offset) = behind_a_proxy(&server).await;
    proxy.cut_before_command("EVALSHA", 1);
    assert_eq!(worker.acknowledge(&[offset]).await, 1);
    let offset = worker.publish(&["b"]).await[0];
    assert_eq!(worker.take(NEVER).await, nth(1, &["b"]));
    proxy.cut_after_command("EVALSHA", 1);
    assert_eq!(worker.acknowledge(&[offset]).await, 0, "the second run finds nothing left to do");
    assert_eq!(proxy.cuts(), 2);
    assert_eq!((worker.state().await.pending, worker.take(AT_ONCE).await), (0, vec![]));
}

#[tokio::test]
async fn a_link_that_is_cut_around_a_burial_buries_once_and_says_so() {
    let server = RedisServer::start().await.unwrap();
    let (proxy, worker, offset) = behind_a_proxy(&server).await;
    proxy.cut_before_command("EVALSHA", 1);
    assert!(worker.bury(offset).await);
    let offset = worker.publish(&["b"]).await[0];
    assert_eq!(worker.take(NEVER).await, nth(1, &["b"]));
    proxy.cut_after_command("EVALSHA", 1);
    assert!(worker.bury(offset).await, "the second run finds it among the dead by the same call");
    assert_eq!(proxy.cuts(), 2);
    assert_eq!(worker.dead().await.iter().map(|dead| dead.deliveries).collect::<Vec<_>>(), [1, 1]);
    assert_eq!((worker.state().await.pending, worker.take(AT_ONCE).await), (0, vec![]));
}

#[tokio::test]
async fn a_link_that_is_cut_around_what_a_worker_says_of_its_work_does_it_once() {
    let server = RedisServer::start().await.unwrap();
    let (proxy, worker, offset) = behind_a_proxy(&server).await;
    for round in 0..2 {
        if round == 0 {
            proxy.cut_before_command("EVALSHA", 1)
        } else {
            proxy.cut_after_command("EVALSHA", 1)
        }
        assert_eq!(worker.keep(&[offset]).await, [offset]);
        if round == 0 {
            proxy.cut_before_command("EVALSHA", 1)
        } else {
            proxy.cut_after_command("EVALSHA", 1)
        }
        assert!(worker.release(offset).await);
        assert_eq!(worker.take(NEVER).await, nth(round + 2, &["a"]));
    }
    assert_eq!(proxy.cuts(), 4);
}

#[tokio::test]
async fn what_a_group_holds_outlives_a_server_that_is_killed() {
    let server = RedisServer::start_with(RedisServerOptions::new().aof()).await.unwrap();
    let worker = Worker::at(&server.url(), "one").await;
    let offsets = worker.publish(&["held", "done", "dead", "revived", "new"]).await;
    assert_eq!(worker.taken(TakeEvents { limit: 4, ..worker.request(NEVER) }).await.events.len(), 4);
    assert_eq!(worker.acknowledge(&offsets[1..2]).await, 1);
    assert!(worker.bury(offsets[2]).await && worker.bury(offsets[3]).await);
    assert!(worker.groups.revive(&worker.key, offsets[3]).await.unwrap());
    let (before, dead) = (worker.state().await, worker.dead().await);

    server.kill();
    server.restart().await.unwrap();
    let back = async {
        while worker.groups.groups(&worker.key.log, SystemClock.now()).await.is_err() {
            tokio::time::sleep(MOMENT).await;
        }
    };
    tokio::time::timeout(LONG, back).await.expect("the server is back");
    let after = worker.state().await;
    assert_eq!(GroupState { oldest_idle: None, ..after }, GroupState { oldest_idle: None, ..before });
    assert_eq!(worker.dead().await, dead);
    let taken = worker.take(AT_ONCE).await;
    assert_eq!(taken, [nth(1, &["revived"]), nth(2, &["held"]), nth(1, &["new"])].concat());
    assert_eq!(worker.acknowledge(&offsets).await, 3);
}

#[tokio::test]
async fn what_a_group_holds_outlives_a_fail_over() {
    let sentinel = RedisSentinel::start().await.unwrap();
    let worker = Worker::at(&sentinel.url(), "one").await;
    let offsets = worker.publish(&["a", "b", "c"]).await;
    assert_eq!(worker.take(NEVER).await, nth(1, &["a", "b", "c"]));
    assert!(worker.bury(offsets[0]).await);
    assert_eq!(worker.acknowledge(&offsets[1..2]).await, 1);
    sentinel.wait_replicated().await.unwrap();
    sentinel.kill_master().await.unwrap();
    sentinel.wait_failover().await.unwrap();
    let back = async {
        loop {
            match worker.try_take(AT_ONCE).await {
                Ok(TakeOutcome::Taken(taken)) if !taken.events.is_empty() => return taken,
                _ => tokio::time::sleep(MOMENT).await,
            }
        }
    };
    let taken = tokio::time::timeout(LONG, back).await.expect("a new master serves");
    assert_eq!(taken.events.iter().map(|taken| taken.event.offset).collect::<Vec<_>>(), offsets[2..]);
    assert_eq!(worker.dead().await.len(), 1);
}
