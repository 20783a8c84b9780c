//! The configuration that is shipped for Redis, put to the test as it stands: only the port and the folder differ.

use mainstay_core::api::InstanceId;
use mainstay_core::api::mail::{ListMessages, MAX_PAGE, SendMessage};
use mainstay_core::mail::{MailRules, MailService};
use mainstay_core::{Caller, RandomMint, Stores, SystemClock};
use mainstay_redis::RedisOptions;
use mainstay_testkit::fixtures::{RedisServer, RedisServerOptions};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The file flushes every second; what is older than this must be on the disk.
const FLUSHED_AFTER: Duration = Duration::from_millis(1_500);
const MESSAGES: usize = 50;

fn shipped() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/redis.conf");
    std::fs::read_to_string(path).unwrap()
}

fn directives(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

async fn shipped_server() -> RedisServer {
    let text = shipped();
    let kept = directives(&text).filter(|line| !line.starts_with("port ") && !line.starts_with("dir "));
    kept.fold(RedisServerOptions::new(), RedisServerOptions::config_line).start().await.unwrap()
}

async fn open(server: &RedisServer) -> (Stores, MailService) {
    let stores = mainstay_redis::open(RedisOptions::from_url(&server.url()).unwrap()).await.unwrap();
    let rules = MailRules::default();
    let mail = MailService::new(Arc::clone(&stores.mail), Arc::new(SystemClock), Arc::new(RandomMint), rules);
    (stores, mail)
}

fn caller() -> Caller {
    Caller { instance: Some(InstanceId::parse("backend").unwrap()), ..Caller::owner() }
}

#[tokio::test]
async fn the_shipped_configuration_keeps_what_was_written_more_than_a_second_before_a_kill() {
    let server = shipped_server().await;
    let (_stores, mail) = open(&server).await;
    let mut sent = Vec::with_capacity(MESSAGES);
    for number in 0..MESSAGES {
        let to = vec![InstanceId::parse("frontend").unwrap()];
        let message = SendMessage::new(to, format!("number {number}"));
        sent.push(mail.send(&caller(), None, message).await.unwrap().message.content.id);
    }
    tokio::time::sleep(FLUSHED_AFTER).await;

    server.kill();
    server.restart().await.unwrap();

    let (_stores, mail) = open(&server).await;
    let list = ListMessages { oldest_first: true, limit: Some(MAX_PAGE), ..ListMessages::default() };
    let kept: Vec<_> = mail.list(&caller(), list).await.unwrap().items.into_iter().map(|m| m.content.id).collect();
    assert_eq!(kept, sent);
}

#[tokio::test]
async fn the_shipped_configuration_gives_mainstay_nothing_to_warn_of() {
    let server = shipped_server().await;
    let (stores, _mail) = open(&server).await;
    assert!(stores.info.durable);
    assert_eq!(stores.info.warnings, Vec::<String>::new());
}

#[tokio::test]
async fn the_shipped_configuration_is_what_redis_understands_it_to_be() {
    let server = shipped_server().await;
    for (name, value) in [
        ("appendonly", "yes"),
        ("appendfsync", "everysec"),
        ("save", "60 1 300 10 900 100"),
        ("maxmemory-policy", "noeviction"),
        ("protected-mode", "yes"),
        ("bind", "127.0.0.1"),
    ] {
        let answer = server.cli(&["CONFIG", "GET", name]).await.unwrap();
        let pair: Vec<String> = redis::from_redis_value(answer).unwrap();
        assert_eq!(pair, [name, value]);
    }
}

#[test]
fn no_directive_carries_a_comment_that_redis_would_take_for_a_value() {
    let text = shipped();
    let commented: Vec<&str> = directives(&text).filter(|line| line.contains('#')).collect();
    assert_eq!(commented, Vec::<&str>::new());
}
