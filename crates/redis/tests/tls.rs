//! TLS as clouds offer it: a certificate whose name is not the address, on one server and on a cluster.

use futures::StreamExt;
use mainstay_core::api::InstanceId;
use mainstay_core::api::errors::Code;
use mainstay_core::api::mail::SendMessage;
use mainstay_core::mail::{MailRules, MailService};
use mainstay_core::{Caller, Hint, RandomMint, SystemClock, Topic};
use mainstay_redis::{RedisOptions, open};
use mainstay_testkit::fixtures::{RedisCluster, RedisClusterOptions, RedisServer, RedisServerOptions, TlsFiles};
use std::sync::Arc;

/// A name that leads nowhere: only what is called by it and looked for elsewhere can be reached.
const NAME: &str = "cache.mainstay.invalid";

fn options(url: &str, files: &TlsFiles, name: Option<&str>) -> RedisOptions {
    let mut options = RedisOptions::from_url(url).unwrap();
    options.tls_files.ca_file = Some(files.ca_path().into());
    options.tls_server_name = name.map(str::to_owned);
    options
}

/// A message goes out, and a reader on another connection is woken.
async fn assert_serves(options: RedisOptions) {
    let stores = open(options).await.unwrap();
    let mut hints = stores.hints.subscribe();
    hints.next().await.unwrap();
    let rules = MailRules::default();
    let mail = MailService::new(Arc::clone(&stores.mail), Arc::new(SystemClock), Arc::new(RandomMint), rules);
    let caller = Caller { instance: Some(InstanceId::parse("a").unwrap()), ..Caller::owner() };
    for name in ["b", "c", "d"] {
        let letter = SendMessage::new(vec![InstanceId::parse(name).unwrap()], "hello");
        mail.send(&caller, None, letter).await.unwrap();
    }
    while let Some(hint) = hints.next().await {
        if matches!(hint, Hint::Topic(Topic::Mail(..))) {
            return;
        }
    }
}

#[tokio::test]
async fn a_server_is_asked_for_by_the_name_of_its_certificate_and_refused_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let files = TlsFiles::generate_for(folder.path(), &["localhost"]).unwrap();
    let server = RedisServer::start_with(RedisServerOptions::new().shared_tls(files.clone())).await.unwrap();
    let by_address = server.url().replace("localhost", "127.0.0.1");
    for name in [None, Some(NAME)] {
        let error = open(options(&by_address, &files, name)).await.err().unwrap();
        assert_eq!(error.code(), Code::StoreUnavailable, "{name:?}");
    }
    assert_serves(options(&by_address, &files, Some("localhost"))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_announces_addresses_is_asked_for_by_the_name_of_its_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let files = TlsFiles::generate_for(folder.path(), &["localhost", NAME, "127.0.0.1"]).unwrap();
    let cluster = RedisCluster::start_with(RedisClusterOptions::new().shared_tls(files.clone())).await.unwrap();
    assert_serves(options(&cluster.url(), &files, Some(NAME))).await;
    assert_serves(options(&cluster.url(), &files, None)).await;
    assert!(open(options(&cluster.url(), &files, Some("other.invalid"))).await.is_err());
}

#[tokio::test]
async fn a_name_for_the_certificates_of_masters_under_sentinels_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let files = TlsFiles::generate(folder.path()).unwrap();
    let error = open(options("rediss+sentinel://127.0.0.1:1/m", &files, Some(NAME))).await.err().unwrap();
    assert_eq!(error.code(), Code::SettingInvalid);
}
