//! Redis keeps what the ports promise, in every arrangement. A server that cannot be started fails the tests.

use mainstay_redis::RedisOptions;
use mainstay_testkit::conformance::{self, Bed};
use mainstay_testkit::fixtures::{
    ClientCertificates, RedisCluster, RedisClusterOptions, RedisSentinel, RedisServer, RedisServerOptions, RedisTls,
};

async fn bed(options: RedisOptions, fixture: impl std::any::Any + Send + Sync) -> Bed {
    Bed::new(mainstay_redis::open(options).await.unwrap(), fixture)
}

mainstay_testkit::conformance!(single, async {
    let server = RedisServer::start().await.unwrap();
    bed(RedisOptions::from_url(&server.url()).unwrap(), server).await
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_keeps_every_promise() {
    let cluster = RedisCluster::start().await.unwrap();
    let bed = bed(RedisOptions::from_url(&cluster.url()).unwrap(), cluster).await;
    conformance::run(&bed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_under_sentinels_keeps_every_promise() {
    let sentinel = RedisSentinel::start().await.unwrap();
    let bed = bed(RedisOptions::from_url(&sentinel.url()).unwrap(), sentinel).await;
    conformance::run(&bed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_behind_tls_with_client_certificates_keeps_every_promise() {
    let tls = RedisTls::start(ClientCertificates::Required).await.unwrap();
    let mut options = RedisOptions::from_url(&tls.url()).unwrap();
    options.tls_files.ca_file = Some(tls.ca_path().to_path_buf());
    options.tls_files.cert_file = Some(tls.client_cert_path().to_path_buf());
    options.tls_files.key_file = Some(tls.client_key_path().to_path_buf());
    let bed = bed(options, tls).await;
    conformance::run(&bed).await;
}

mainstay_testkit::sequences!(single_sequences, async {
    let server = RedisServer::start().await.unwrap();
    bed(RedisOptions::from_url(&server.url()).unwrap(), server).await
});

#[tokio::test]
async fn what_puts_data_at_risk_is_said_of_a_server_and_of_each_node_of_a_cluster() {
    let safe = RedisServerOptions::new().aof();
    let risky = RedisServerOptions::new().maxmemory_policy("allkeys-lru");
    for (options, durable, warnings) in [(safe, true, 0), (risky, false, 2)] {
        let server = RedisServer::start_with(options).await.unwrap();
        let info = mainstay_redis::open(RedisOptions::from_url(&server.url()).unwrap()).await.unwrap().info;
        assert_eq!((info.durable, info.warnings.len()), (durable, warnings), "{:?}", info.warnings);
    }
    let safe = RedisClusterOptions::new().aof();
    let risky = RedisClusterOptions::new().aof().config_line("maxmemory-policy allkeys-lru");
    for (options, durable, warnings) in [(safe, true, 0), (risky, true, 3)] {
        let cluster = RedisCluster::start_with(options).await.unwrap();
        let info = mainstay_redis::open(RedisOptions::from_url(&cluster.url()).unwrap()).await.unwrap().info;
        assert_eq!((info.durable, info.warnings.len()), (durable, warnings), "{:?}", info.warnings);
        assert!(info.warnings.iter().all(|warning| warning.starts_with("127.0.0.1:")), "{:?}", info.warnings);
    }
}
