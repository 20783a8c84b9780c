//! Refreshing credentials on two nodes of one store, against an authorization server that punishes a second use.

mod node;
mod rest;

use mainstay_core::Stores;
use mainstay_core::providers::credentials::{Refreshed, Whose};
use mainstay_core::secrets::KeyRing;
use mainstay_redis::RedisOptions;
use mainstay_sqlite::SqliteOptions;
use mainstay_testkit::fixtures::{AuthorizationServer, Granting, RedisServer};
use node::{LEASE_MS, Node, access, expired, whose};
use std::any::Any;
use std::time::Duration;

/// Two nodes of one store, and the server that they ask.
struct Pair {
    a: Node,
    b: Node,
    server: AuthorizationServer,
    whose: Whose,
    seen: u64,
    _fixture: Box<dyn Any>,
}

async fn pair(stores: [Stores; 2], fixture: impl Any) -> Pair {
    let ring = KeyRing::generate().unwrap();
    let server = AuthorizationServer::start().await.unwrap();
    let (a, b) = (Node::on(&stores[0], "a", &ring), Node::on(&stores[1], "b", &ring));
    let whose = whose();
    let seen = a.put(&whose, &expired(&server.url())).await;
    Pair { a, b, server, whose, seen, _fixture: Box::new(fixture) }
}

async fn on_redis() -> Pair {
    let server = RedisServer::start().await.unwrap();
    let open =
        || async { Box::pin(mainstay_redis::open(RedisOptions::from_url(&server.url()).unwrap())).await.unwrap() };
    let stores = [open().await, open().await];
    pair(stores, server).await
}

async fn on_sqlite() -> Pair {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("mainstay.db").display());
    let open = || async { mainstay_sqlite::open(SqliteOptions::from_url(&url).unwrap()).await.unwrap() };
    let stores = [open().await, open().await];
    pair(stores, folder).await
}

/// Each test on both stores.
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $test() {
                super::$test(super::on_redis().await).await;
            })+
        }
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $test() {
                super::$test(super::on_sqlite().await).await;
            })+
        }
    };
}

on_both! {
    of_two_hundred_callers_on_two_nodes_one_asks,
    a_holder_that_died_before_it_asked_is_followed_by_the_next,
    the_late_answer_of_a_holder_that_slept_past_its_lease_is_adopted,
    a_refusal_adopts_what_is_newer,
    a_refusal_of_the_only_token_is_death_until_it_is_replaced,
    a_server_that_is_away_deletes_nothing_and_is_left_alone_as_long_as_it_asks,
    a_refresher_that_is_late_cannot_overwrite_the_winner,
    a_caller_that_goes_away_takes_no_answer_along,
    an_answer_without_a_refresh_token_keeps_the_old_one,
    what_is_about_to_expire_is_refreshed_ahead_by_one_node,
}

async fn of_two_hundred_callers_on_two_nodes_one_asks(pair: Pair) {
    let callers: Vec<_> = (0..200)
        .map(|number| if number % 2 == 0 { &pair.a } else { &pair.b }.refresh(&pair.whose, pair.seen))
        .collect();
    for caller in callers {
        assert_eq!(access(caller.await.unwrap().unwrap()), "a-1");
    }
    assert_eq!(pair.server.calls().len(), 1, "{:?}", pair.server.calls());
    assert!(!pair.server.is_revoked());
    assert_eq!((pair.a.bearer(&pair.whose).await, pair.b.bearer(&pair.whose).await), ("a-1".into(), "a-1".into()));
}

async fn a_holder_that_died_before_it_asked_is_followed_by_the_next(pair: Pair) {
    pair.a.begin_and_die(&pair.whose, pair.seen).await;
    assert_eq!(pair.a.find(&pair.whose).await.unwrap().version, pair.seen, "the old credential is still there");
    pair.b.clock.advance(LEASE_MS);
    assert_eq!(access(pair.b.refresh(&pair.whose, pair.seen).await.unwrap().unwrap()), "a-1");
    assert_eq!(pair.server.calls().len(), 1);
}

async fn the_late_answer_of_a_holder_that_slept_past_its_lease_is_adopted(pair: Pair) {
    pair.a.pause(true);
    let asleep = pair.a.refresh(&pair.whose, pair.seen);
    until(async || pair.server.calls().len() == 1).await;
    pair.b.clock.advance(LEASE_MS);
    let next = pair.b.refresh(&pair.whose, pair.seen);
    let held_by_b = async || {
        let holder = pair.b.find(&pair.whose).await.unwrap().refresh.holder;
        holder.is_some_and(|holder| holder.starts_with("b/"))
    };
    until(held_by_b).await;
    pair.a.pause(false);
    assert_eq!(access(next.await.unwrap().unwrap()), "a-1");
    assert_eq!(access(asleep.await.unwrap().unwrap()), "a-1");
    assert_eq!(pair.server.calls().len(), 1, "the old refresh token was not used again");
    let standing = pair.a.find(&pair.whose).await.unwrap().refresh;
    assert_eq!((standing.dead, standing.in_doubt, standing.held_until), (None, false, None));
}

async fn a_refusal_adopts_what_is_newer(pair: Pair) {
    pair.server.grant(Granting::Refusing(400, "", r#"{"error":"invalid_grant"}"#.into()));
    pair.server.hold(true);
    let refused = pair.a.refresh(&pair.whose, pair.seen);
    until(async || pair.server.calls().len() == 1).await;
    let mut by_hand = expired(&pair.server.url());
    by_hand["access_token"] = "by hand".into();
    by_hand["expiry_date"] = (node::NOW_MS + 3_600_000).into();
    pair.b.put(&pair.whose, &by_hand).await;
    pair.server.hold(false);
    assert_eq!(access(refused.await.unwrap().unwrap()), "by hand");
    assert_eq!(pair.a.find(&pair.whose).await.unwrap().refresh.dead, None);
}

async fn a_refusal_of_the_only_token_is_death_until_it_is_replaced(pair: Pair) {
    pair.server.grant(Granting::Refusing(
        400,
        "",
        r#"{"error":"invalid_grant","error_description":"r-0 is gone"}"#.into(),
    ));
    let Refreshed::Dead(reason) = pair.a.refresh(&pair.whose, pair.seen).await.unwrap().unwrap() else {
        panic!("dead")
    };
    assert!(reason.contains("invalid_grant") && !reason.contains("r-0"), "{reason}");
    assert!(matches!(pair.b.refresh(&pair.whose, pair.seen).await.unwrap().unwrap(), Refreshed::Dead(_)));
    assert_eq!(pair.server.calls().len(), 1, "nobody asks again by itself");
    pair.server.grant(Granting::Rotating);
    let seen = pair.b.put(&pair.whose, &expired(&pair.server.url())).await;
    assert_eq!(access(pair.a.refresh(&pair.whose, seen).await.unwrap().unwrap()), "a-1");
}

async fn a_server_that_is_away_deletes_nothing_and_is_left_alone_as_long_as_it_asks(pair: Pair) {
    pair.server.grant(Granting::Refusing(503, "retry-after: 120\r\n", "busy".into()));
    let before = pair.a.find(&pair.whose).await.unwrap();
    let Refreshed::Later { at, .. } = pair.a.refresh(&pair.whose, pair.seen).await.unwrap().unwrap() else {
        panic!("later")
    };
    assert!(at.as_millis() >= node::NOW_MS + 120_000, "{at}");
    let after = pair.a.find(&pair.whose).await.unwrap();
    assert_eq!((&after.sealed, after.version), (&before.sealed, before.version));
    assert_eq!((after.refresh.failures, after.refresh.dead), (1, None));
    pair.b.clock.advance(119_000);
    assert!(matches!(pair.b.refresh(&pair.whose, pair.seen).await.unwrap().unwrap(), Refreshed::Later { .. }));
    assert_eq!(pair.server.calls().len(), 1, "it is left alone");
    pair.server.grant(Granting::Rotating);
    pair.b.clock.advance(1_000);
    assert_eq!(access(pair.b.refresh(&pair.whose, pair.seen).await.unwrap().unwrap()), "a-1");
}

async fn a_refresher_that_is_late_cannot_overwrite_the_winner(pair: Pair) {
    pair.a.pause(true);
    let late = pair.a.refresh(&pair.whose, pair.seen);
    until(async || pair.server.calls().len() == 1).await;
    let mut winner = expired(&pair.server.url());
    winner["access_token"] = "winner".into();
    winner["expiry_date"] = (node::NOW_MS + 3_600_000).into();
    let version = pair.b.put(&pair.whose, &winner).await;
    pair.a.pause(false);
    assert_eq!(access(late.await.unwrap().unwrap()), "winner");
    assert_eq!(pair.b.find(&pair.whose).await.unwrap().version, version);
}

async fn a_caller_that_goes_away_takes_no_answer_along(pair: Pair) {
    pair.server.hold(true);
    let caller = pair.a.refresh(&pair.whose, pair.seen);
    until(async || pair.server.calls().len() == 1).await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    pair.server.hold(false);
    until(async || pair.b.find(&pair.whose).await.unwrap().version > pair.seen).await;
    assert_eq!(pair.b.bearer(&pair.whose).await, "a-1");
}

async fn an_answer_without_a_refresh_token_keeps_the_old_one(pair: Pair) {
    pair.server.grant(Granting::Keeping);
    let mut seen = pair.seen;
    for expected in ["a-1", "a-2"] {
        assert_eq!(access(pair.a.refresh(&pair.whose, seen).await.unwrap().unwrap()), expected);
        seen = pair.a.find(&pair.whose).await.unwrap().version;
    }
    assert!(pair.server.calls().iter().all(|call| call["refresh_token"] == "r-0"));
}

async fn what_is_about_to_expire_is_refreshed_ahead_by_one_node(pair: Pair) {
    pair.a.bearer(&pair.whose).await;
    assert_eq!(pair.a.tokens.refresh_due().await.unwrap().refreshed, 0, "it lasts for an hour");
    for node in [&pair.a, &pair.b] {
        node.clock.advance(3_600_000 - 60_000);
    }
    let (a, b) = tokio::join!(pair.a.tokens.refresh_due(), pair.b.tokens.refresh_due());
    assert!(a.unwrap().refreshed + b.unwrap().refreshed >= 1);
    assert_eq!(pair.server.calls().len(), 2);
    assert_eq!((pair.a.bearer(&pair.whose).await, pair.b.bearer(&pair.whose).await), ("a-2".into(), "a-2".into()));
}

/// Waits until something holds, but not for ever.
async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let waited = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waited).await.expect("it holds in the end");
}
