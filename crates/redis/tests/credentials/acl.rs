//! A user with the rights that the guide lists, and with a name and a password of any characters.

use crate::rig::{mail, send};
use mainstay_core::api::errors::Code;
use mainstay_redis::{RedisOptions, open};
use mainstay_testkit::conformance::{self, Bed};
use mainstay_testkit::fixtures::{RedisCluster, RedisSentinel, RedisServer};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::collections::BTreeSet;
use std::path::Path;

/// What a user name may hold: anything but spaces. A password may hold those too.
const USER: &str = "us@r:/?#%{}\"'é日本";
const PASSWORD: &str = "p@:/?#%{} \"' é日本&=+~>";

/// The rule of the user in the guide, without its password.
fn documented() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/stores.md");
    let guide = std::fs::read_to_string(path).unwrap();
    let rule = guide.lines().find(|line| line.starts_with("user mainstay on ")).expect("the guide has a user");
    rule.split_whitespace().skip(3).filter(|word| !word.starts_with('>')).map(str::to_owned).collect()
}

async fn allow(server: &RedisServer, more: &[&str]) {
    let mut rule: Vec<String> = ["ACL", "SETUSER", USER, "on"].map(str::to_owned).into();
    rule.push(format!(">{PASSWORD}"));
    rule.extend(documented());
    rule.extend(more.iter().map(|&word| word.to_owned()));
    let rule: Vec<&str> = rule.iter().map(String::as_str).collect();
    server.cli(&rule).await.unwrap();
}

/// The same address with the login in it.
fn with_login(url: &str) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    url.replacen("://", &format!("://{}:{}@", encoded(USER), encoded(PASSWORD)), 1)
}

/// The address, and the login apart from it.
fn beside_login(url: &str) -> RedisOptions {
    let mut options = RedisOptions::from_url(url).unwrap();
    options.username = Some(USER.into());
    options.password = Some(PASSWORD.into());
    options
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_with_the_rights_of_the_guide_can_do_everything_that_is_promised() {
    let server = RedisServer::start().await.unwrap();
    allow(&server, &[]).await;
    let stores = open(RedisOptions::from_url(&with_login(&server.url())).unwrap()).await.unwrap();
    assert!(stores.info.warnings.iter().all(|warning| !warning.contains("INFO")), "{:?}", stores.info.warnings);
    let bed = Bed::new(stores, server);
    conformance::run(&bed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_with_the_rights_of_the_guide_suffices_on_a_cluster() {
    let cluster = RedisCluster::start().await.unwrap();
    for node in cluster.nodes() {
        allow(node, &["+cluster|slots"]).await;
    }
    let bed = Bed::new(open(beside_login(&cluster.url())).await.unwrap(), cluster);
    conformance::run(&bed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_with_the_rights_of_the_guide_suffices_behind_sentinels() {
    let sentinel = RedisSentinel::start().await.unwrap();
    allow(sentinel.master().await.unwrap(), &["+role"]).await;
    for options in [beside_login(&sentinel.url()), RedisOptions::from_url(&with_login(&sentinel.url())).unwrap()] {
        let stores = open(options).await.unwrap();
        send(&mail(&stores), "to the master").await.unwrap();
    }
}

#[tokio::test]
async fn a_login_given_apart_is_the_same_and_a_wrong_one_is_refused_without_being_shown() {
    let server = RedisServer::start().await.unwrap();
    allow(&server, &[]).await;
    send(&mail(&open(beside_login(&server.url())).await.unwrap()), "hello").await.unwrap();

    let mut wrong = beside_login(&server.url());
    wrong.password = Some(format!("{PASSWORD}x"));
    let error = open(wrong.clone()).await.err().unwrap();
    assert_eq!(error.code(), Code::StoreUnavailable);
    for shown in [format!("{error:?}"), error.to_string(), format!("{wrong:?}")] {
        assert!(!shown.contains("p@:") && !shown.contains("us@r"), "{shown}");
    }
}

/// The commands of a script: what follows `redis.call('`.
fn commands_in(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            commands_in(&path, found);
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        let calls = text.split("redis.call('").skip(1).filter_map(|call| call.split('\'').next());
        found.extend(calls.map(str::to_lowercase));
    }
}

#[test]
fn the_guide_lists_every_command_of_the_scripts() {
    let mut used = BTreeSet::new();
    commands_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts"), &mut used);
    let rule = documented();
    let listed: BTreeSet<String> = rule.iter().filter_map(|word| word.strip_prefix('+').map(str::to_owned)).collect();
    let lacking: Vec<&String> = used.difference(&listed).collect();
    assert!(lacking.is_empty(), "docs/guide/stores.md does not allow {lacking:?}");
}
