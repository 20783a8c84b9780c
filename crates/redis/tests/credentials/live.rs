//! Credentials that change while connections live: no call fails, and no connection is lost.

use crate::rig::{
    Changing, Load, add_user, all_become, connected, credentials, eventually, mail, open_listening, options,
    remove_password, send,
};
use futures::StreamExt;
use mainstay_core::api::errors::Code;
use mainstay_core::{Hint, Topic};
use mainstay_redis::open;
use mainstay_testkit::fixtures::{RedisCluster, RedisSentinel, RedisServer};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Moves live connections from one user to another on every server, removes the first, and changes the password of
/// the second. A server closes what is connected as a user that it no longer has.
async fn rotate(servers: &[&RedisServer], url: &str) {
    for server in servers {
        add_user(server, "app1", "one").await;
    }
    let source = Changing::new("app1", "one");
    let (stores, mut hints) = open_listening(options(url, Arc::clone(&source) as _)).await;
    let load = Load::start(&stores);
    load.more(50).await;
    let mut before: Vec<BTreeMap<u64, String>> = Vec::new();
    for server in servers {
        before.push(connected(server).await);
    }
    assert!(before.iter().map(BTreeMap::len).sum::<usize>() > servers.len(), "{before:?}");

    for server in servers {
        add_user(server, "app2", "two").await;
    }
    source.change("app2", "two");
    for (server, ids) in servers.iter().zip(&before) {
        all_become(server, ids, "app2").await;
        server.cli(&["ACL", "DELUSER", "app1"]).await.unwrap();
    }
    load.more(50).await;
    for server in servers {
        add_user(server, "app2", "three").await;
    }
    source.change("app2", "three");
    // A second connection finds out when the new password has come to be used.
    for server in servers {
        remove_password(server, "app2", "two").await;
    }
    load.more(50).await;
    let second = open(options(url, Arc::clone(&source) as _)).await.unwrap();
    send(&mail(&second), "with the newest").await.unwrap();

    assert_eq!(load.finish().await, Vec::<String>::new());
    for (server, ids) in servers.iter().zip(&before) {
        let now = connected(server).await;
        assert!(ids.keys().all(|id| now.contains_key(id)), "a connection was lost: {ids:?} {now:?}");
    }
    // The subscription hears, still on the connection that it began with.
    while let Some(hint) = hints.next().await {
        if matches!(hint, Hint::Topic(Topic::Mail(..))) {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_changes_under_way_fails_no_call_and_drops_no_connection() {
    let server = RedisServer::start().await.unwrap();
    rotate(&[&server], &server.url()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_changes_under_way_reaches_every_node_of_a_cluster() {
    let cluster = RedisCluster::start().await.unwrap();
    let servers: Vec<&RedisServer> = cluster.nodes().iter().collect();
    rotate(&servers, &cluster.url()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_changes_under_way_reaches_the_master_under_sentinels() {
    let sentinel = RedisSentinel::start().await.unwrap();
    rotate(&[sentinel.master().await.unwrap()], &sentinel.url()).await;
}

/// Closes every connection of the application, as a server does whose token ran out.
async fn close_all(server: &RedisServer, user: &str) {
    server.cli(&["CLIENT", "KILL", "USER", user]).await.unwrap();
}

#[tokio::test]
async fn new_credentials_that_the_server_does_not_know_yet_end_nothing_and_serve_when_it_does() {
    let server = RedisServer::start().await.unwrap();
    add_user(&server, "app", "old").await;
    let source = Changing::new("app", "old");
    let (stores, _hints) = open_listening(options(&server.url(), Arc::clone(&source) as _)).await;
    let mail = mail(&stores);
    send(&mail, "before").await.unwrap();
    let refused = async || -> u64 {
        let info: String = redis::from_redis_value(server.cli(&["INFO", "commandstats"]).await.unwrap()).unwrap();
        let count = info.lines().find(|line| line.starts_with("cmdstat_auth:"));
        count.and_then(|line| line.rsplit("failed_calls=").next()?.trim().parse().ok()).unwrap_or(0)
    };

    source.change("app", "new");
    eventually("the new password to be tried", async || {
        let refused = refused().await;
        if refused >= 2 { Ok(()) } else { Err(refused.to_string()) }
    })
    .await;
    close_all(&server, "app").await;
    eventually("the old password to serve a new connection", async || {
        send(&mail, "still").await.map_err(|e| e.to_string())
    })
    .await;

    add_user(&server, "app", "new").await;
    remove_password(&server, "app", "old").await;
    close_all(&server, "app").await;
    eventually("the new password to serve", async || send(&mail, "after").await.map_err(|e| e.to_string())).await;
}

#[tokio::test]
async fn a_password_that_was_replaced_everywhere_at_once_is_fetched_when_the_old_one_is_refused() {
    let server = RedisServer::start().await.unwrap();
    add_user(&server, "app", "old").await;
    let source = Changing::new("app", "old");
    let (stores, _hints) = open_listening(options(&server.url(), Arc::clone(&source) as _)).await;
    let mail = mail(&stores);
    send(&mail, "before").await.unwrap();

    add_user(&server, "app", "new").await;
    remove_password(&server, "app", "old").await;
    source.change("app", "new");
    close_all(&server, "app").await;

    eventually("the new password to serve", async || send(&mail, "after").await.map_err(|e| e.to_string())).await;
}

#[tokio::test]
async fn a_token_serves_while_its_source_is_away_and_an_expired_one_is_an_error_until_the_source_is_back() {
    let server = RedisServer::start().await.unwrap();
    add_user(&server, "app", "token").await;
    let source = Changing::new("app", "token");
    let token = || {
        Some(mainstay_redis::credentials::Credentials {
            lifetime: Some(Duration::from_secs(3)),
            ..credentials("app", "token")
        })
    };
    source.set(token());
    let stores = open(options(&server.url(), Arc::clone(&source) as _)).await.unwrap();
    let mail = mail(&stores);
    source.set(None);

    // The source fails from now on; the token is still good for a new connection.
    close_all(&server, "app").await;
    eventually("the token to serve", async || send(&mail, "within its life").await.map_err(|e| e.to_string())).await;
    let error = eventually("the token to expire", async || {
        close_all(&server, "app").await;
        match send(&mail, "after its life").await {
            Err(error) if error.problem.detail.contains("credentials") => Ok(error),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    assert_eq!(error.code(), Code::StoreUnavailable);
    assert!(error.problem.retry_after_ms.is_some() && !format!("{error:?}").contains("token\""), "{error:?}");

    source.set(token());
    eventually("the source to be back", async || send(&mail, "again").await.map_err(|e| e.to_string())).await;
}

#[tokio::test]
async fn a_source_that_gives_nothing_at_the_start_is_an_error_in_its_own_words() {
    let server = RedisServer::start().await.unwrap();
    let source = Changing::new("app", "token");
    source.set(None);
    let error = open(options(&server.url(), source)).await.err().unwrap();
    assert_eq!(
        (error.code(), error.problem.detail.as_str()),
        (Code::StoreUnavailable, "the source of the test is away")
    );
}

#[tokio::test]
async fn a_login_of_the_options_counts_where_the_source_names_no_user() {
    let server = RedisServer::start().await.unwrap();
    add_user(&server, "app", "secret").await;
    let source = Changing::new("app", "secret");
    let nameless = mainstay_redis::credentials::Credentials { username: None, ..credentials("", "secret") };
    source.set(Some(nameless));
    let mut options = options(&server.url(), source);
    options.username = Some("app".into());
    let stores = open(options).await.unwrap();
    send(&mail(&stores), "as app").await.unwrap();
    assert!(connected(&server).await.values().any(|user| user == "app"));
}
