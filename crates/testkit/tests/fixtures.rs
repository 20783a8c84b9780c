//! The fixtures themselves: each fault does what its name says, seen from behind the back of the client.

use std::time::{Duration, Instant};

use mainstay_testkit::fixtures::{
    ClientCertificates, FaultMode, FaultProxy, FixtureError, RedisCluster, RedisClusterOptions, RedisSentinel,
    RedisSentinelOptions, RedisServer, RedisServerOptions, RedisTls, TlsFiles,
};
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, AsyncConnectionConfig, Client, ClientTlsConfig, TlsCertificates};

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// Longer than a cut takes to show, shorter than anyone waits.
const CLIENT_TIMEOUT: Duration = Duration::from_millis(500);

async fn client_through(proxy: &FaultProxy) -> redis::RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CLIENT_TIMEOUT))
        .set_response_timeout(Some(CLIENT_TIMEOUT));
    Client::open(format!("redis://{}", proxy.addr()))?.get_multiplexed_async_connection_with_config(&config).await
}

fn redis_code(error: &FixtureError) -> Option<&str> {
    match error {
        FixtureError::Redis(error) => error.code(),
        _ => None,
    }
}

#[tokio::test]
async fn a_killed_server_with_aof_comes_back_with_its_data() -> TestResult {
    let server = RedisServerOptions::new().aof().start().await?;
    let (port, first_pid) = (server.port(), server.pid());
    let mut connection = server.connection().await?;
    let _: () = connection.set("kept", "yes").await?;

    server.kill();
    assert!(!server.is_running());
    assert!(connection.get::<_, String>("kept").await.is_err());
    server.restart().await?;

    assert_eq!(server.port(), port);
    assert_ne!(server.pid(), first_pid);
    let kept: String = server.connection().await?.get("kept").await?;
    assert_eq!(kept, "yes");
    Ok(())
}

#[tokio::test]
async fn a_server_without_aof_comes_back_empty() -> TestResult {
    let server = RedisServer::start().await?;
    server.cli(&["SET", "lost", "yes"]).await?;

    server.stop().await?;
    assert!(matches!(server.pause(), Err(FixtureError::NotRunning { .. })));
    server.restart().await?;

    let lost: Option<String> = server.connection().await?.get("lost").await?;
    assert_eq!(lost, None);
    Ok(())
}

#[tokio::test]
async fn a_paused_server_answers_late_and_not_never() -> TestResult {
    let server = RedisServer::start().await?;
    let mut connection = server.connection().await?;
    connection.set_response_timeout(CLIENT_TIMEOUT);

    server.pause()?;
    let error = connection.incr::<_, _, i64>("count", 1).await.expect_err("a paused server does not answer");
    assert!(error.is_timeout(), "{error}");
    server.resume()?;

    let mut fresh = server.connection().await?;
    assert_eq!(fresh.get::<_, i64>("count").await?, 1);
    server.flush_all().await?;
    assert_eq!(fresh.get::<_, Option<i64>>("count").await?, None);
    Ok(())
}

#[tokio::test]
async fn a_server_dropped_while_paused_is_gone() -> TestResult {
    let server = RedisServer::start().await?;
    let (pid, folder) = (server.pid().ok_or("no pid")?, server.folder().to_owned());
    server.pause()?;

    drop(server);

    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    assert!(!folder.exists());
    Ok(())
}

#[tokio::test]
async fn credentials_are_required_and_in_the_url() -> TestResult {
    let by_password = RedisServerOptions::new().password("p@ss w/rd").start();
    let by_user = RedisServerOptions::new()
        .acl_user("mail", "secret")
        .maxmemory_policy("allkeys-lru")
        .config_line("maxmemory 64mb")
        .start();
    for server in [by_password.await?, by_user.await?] {
        server.cli(&["SET", "key", "value"]).await?;
        let stranger = Client::open(format!("redis://127.0.0.1:{}", server.port()))?;
        let mut stranger = stranger.get_multiplexed_async_connection().await?;
        assert!(stranger.get::<_, String>("key").await.is_err());
    }
    Ok(())
}

#[tokio::test]
async fn a_mistaken_configuration_is_reported_with_the_log() {
    let error = RedisServerOptions::new()
        .config_line("no-such-directive yes")
        .start()
        .await
        .expect_err("the directive does not exist");

    assert!(error.to_string().contains("no-such-directive"), "{error}");
}

#[tokio::test]
async fn a_cluster_serves_all_slots_and_follows_a_moved_one() -> TestResult {
    let cluster = RedisCluster::start().await?;
    let mut connection = cluster.connection().await?;
    for number in 0..300 {
        let _: () = connection.set(format!("key:{number}"), number).await?;
    }
    for node in cluster.nodes() {
        let held: u64 = redis::from_redis_value(node.cli(&["DBSIZE"]).await?)?;
        assert!(held > 50, "{held} keys on port {}", node.port());
    }

    let slot = cluster.slot_of("{tag}").await?;
    let from = cluster.slot_owner(slot).await?;
    let to = (from + 1) % cluster.nodes().len();
    let _: () = connection.set("{tag}:a", "1").await?;
    let moving = cluster.begin_slot_move(slot, to).await?;
    moving.migrate_keys().await?;
    let asked = cluster.node(from).cli(&["GET", "{tag}:a"]).await.expect_err("the key has gone to the target");
    assert_eq!(redis_code(&asked), Some("ASK"));
    assert_eq!(connection.get::<_, String>("{tag}:a").await?, "1");
    moving.finish().await?;

    assert_eq!(cluster.slot_owner(slot).await?, to);
    let moved = cluster.node(from).cli(&["GET", "{tag}:a"]).await.expect_err("the slot belongs to the target");
    assert_eq!(redis_code(&moved), Some("MOVED"));
    assert_eq!(connection.get::<_, String>("{tag}:a").await?, "1");

    cluster.move_slot(slot, from).await?;
    assert_eq!(cluster.slot_owner(slot).await?, from);
    Ok(())
}

#[tokio::test]
async fn a_cluster_fails_without_a_master_and_heals_when_it_returns() -> TestResult {
    let cluster = RedisClusterOptions::new().aof().start().await?;
    let mut connection = cluster.connection().await?;
    let _: () = connection.set("kept", "yes").await?;
    let owner = cluster.slot_owner(cluster.slot_of("kept").await?).await?;

    cluster.node(owner).kill();
    cluster.wait_fail().await?;
    cluster.node(owner).restart().await?;
    cluster.wait_ok().await?;

    let kept: String = cluster.connection().await?.get("kept").await?;
    assert_eq!(kept, "yes");
    Ok(())
}

#[tokio::test]
async fn a_cluster_replica_takes_over_and_credentials_hold() -> TestResult {
    let cluster = RedisClusterOptions::new().replicas().password("secret").start().await?;
    let prefix = "redis+cluster://:secret@127.0.0.1:";
    assert!(cluster.url().starts_with(prefix), "{}", cluster.url());

    cluster.node(0).kill();
    cluster.wait_promoted(3).await?;

    assert_eq!(cluster.slot_owner(0).await?, 3);
    // With a key in it, so that MIGRATE has to log in.
    let slot = cluster.slot_of("moved").await?;
    let owner = cluster.slot_owner(slot).await?;
    let target = if owner == 1 { 2 } else { 1 };
    cluster.node(owner).cli(&["SET", "moved", "yes"]).await?;
    cluster.move_slot(slot, target).await?;
    cluster.node(target).cli(&["GET", "moved"]).await?;
    Ok(())
}

#[tokio::test]
async fn sentinels_promote_the_replica_of_a_killed_master() -> TestResult {
    let group = RedisSentinel::start().await?;
    assert!(group.url().ends_with("/mymaster"), "{}", group.url());
    let mut connection = group.connection().await?;
    let _: () = connection.set("kept", "yes").await?;
    // The replica has it: replication is asynchronous, and the kill would win.
    let copies: u64 = redis::cmd("WAIT").arg(1).arg(1_000).query_async(&mut connection).await?;
    assert_eq!(copies, 1);

    let old_port = group.kill_master().await?;
    let new_port = group.wait_failover().await?;

    assert_ne!(new_port, old_port);
    assert_eq!(group.master_port().await?, new_port);
    let kept: String = group.connection().await?.get("kept").await?;
    assert_eq!(kept, "yes");
    Ok(())
}

#[tokio::test]
async fn a_sentinel_failover_works_with_a_password() -> TestResult {
    let group = RedisSentinelOptions::new().password("secret").start().await?;
    assert!(group.url().starts_with("redis+sentinel://:secret@"));

    group.kill_master().await?;
    group.wait_failover().await?;

    let _: () = group.connection().await?.set("key", "value").await?;
    Ok(())
}

fn tls_client(server: &RedisTls, ca: &[u8], with_certificate: bool) -> redis::RedisResult<Client> {
    let client_tls = with_certificate.then(|| ClientTlsConfig {
        client_cert: std::fs::read(server.client_cert_path()).expect("a client certificate"),
        client_key: std::fs::read(server.client_key_path()).expect("a client key"),
    });
    let certificates = TlsCertificates { client_tls, root_cert: Some(ca.to_vec()) };
    Client::build_with_tls(server.url(), certificates)
}

#[tokio::test]
async fn tls_is_accepted_with_our_authority_and_refused_with_another() -> TestResult {
    let server = RedisTls::start(ClientCertificates::Ignored).await?;
    let other_folder = tempfile::tempdir()?;
    let other = TlsFiles::generate(other_folder.path())?;

    let trusting = tls_client(&server, &std::fs::read(server.ca_path())?, false)?;
    let mut connection = trusting.get_multiplexed_async_connection().await?;
    let _: () = connection.set("key", "value").await?;

    let distrusting = tls_client(&server, &std::fs::read(other.ca_path())?, false)?;
    let refused = distrusting.get_multiplexed_async_connection().await;
    assert!(refused.is_err());
    Ok(())
}

#[tokio::test]
async fn a_required_client_certificate_is_required() -> TestResult {
    let server = RedisTls::start(ClientCertificates::Required).await?;
    let ca = std::fs::read(server.ca_path())?;

    let with = tls_client(&server, &ca, true)?;
    let mut connection = with.get_multiplexed_async_connection().await?;
    let _: () = connection.set("key", "value").await?;

    let without = tls_client(&server, &ca, false)?;
    assert!(without.get_multiplexed_async_connection().await.is_err());

    // A fault proxy lets TLS through untouched.
    let proxy = FaultProxy::in_front_of(server.port()).await?;
    proxy.cut_before_command("value", 1);
    let mut url = url::Url::parse(&server.url())?;
    url.set_port(Some(proxy.port())).map_err(|()| "no port")?;
    let client_tls = server.server().tls_files().ok_or("no certificates")?.client_tls(ClientCertificates::Required)?;
    let through = Client::build_with_tls(url, client_tls)?;
    let mut connection = through.get_multiplexed_async_connection().await?;
    assert_eq!(connection.get::<_, String>("key").await?, "value");
    assert_eq!(proxy.cuts(), 0);
    Ok(())
}

#[tokio::test]
async fn a_cut_before_the_command_means_it_did_not_run() -> TestResult {
    let server = RedisServer::start().await?;
    let proxy = FaultProxy::in_front_of(server.port()).await?;
    let mut client = client_through(&proxy).await?;
    assert_eq!(client.incr::<_, _, i64>("count", 1).await?, 1);

    proxy.cut_before_command("INCRBY", 1);
    assert!(client.incr::<_, _, i64>("count", 1).await.is_err());

    assert_eq!(proxy.cuts(), 1);
    assert_eq!(proxy.mode(), FaultMode::Pass);
    let count: i64 = server.connection().await?.get("count").await?;
    assert_eq!(count, 1);
    let mut again = client_through(&proxy).await?;
    assert_eq!(again.incr::<_, _, i64>("count", 1).await?, 2);
    assert_eq!(proxy.connections(), 2);
    Ok(())
}

#[tokio::test]
async fn a_cut_after_the_command_means_it_ran_once() -> TestResult {
    let server = RedisServer::start().await?;
    let proxy = FaultProxy::in_front_of(server.port()).await?;

    proxy.cut_after_command("INCRBY", 2);
    for expected in 1..=2_i64 {
        let mut client = client_through(&proxy).await?;
        assert!(client.incr::<_, _, i64>("count", 1).await.is_err());
        // No wait: the reply was there before the cut, so the command has run.
        let count: i64 = server.connection().await?.get("count").await?;
        assert_eq!(count, expected);
    }

    assert_eq!(proxy.cuts(), 2);
    let mut client = client_through(&proxy).await?;
    assert_eq!(client.incr::<_, _, i64>("count", 1).await?, 3);
    Ok(())
}

#[tokio::test]
async fn a_cut_in_a_pipeline_spares_what_came_before() -> TestResult {
    let server = RedisServer::start().await?;
    let proxy = FaultProxy::in_front_of(server.port()).await?;
    let mut client = client_through(&proxy).await?;

    proxy.cut_after_command("second", 1);
    let outcome: redis::RedisResult<()> = redis::pipe()
        .cmd("SET")
        .arg("first")
        .arg(1)
        .cmd("SET")
        .arg("second")
        .arg(2)
        .cmd("SET")
        .arg("third")
        .arg(3)
        .query_async(&mut client)
        .await;

    assert!(outcome.is_err());
    let ran: (Option<u8>, Option<u8>, Option<u8>) =
        server.connection().await?.mget(&["first", "second", "third"]).await?;
    assert_eq!(ran, (Some(1), Some(2), None));
    Ok(())
}

#[tokio::test]
async fn a_black_hole_keeps_the_link_open_and_delivers_late() -> TestResult {
    let server = RedisServer::start().await?;
    let proxy = FaultProxy::in_front_of(server.port()).await?;
    let mut client = client_through(&proxy).await?;
    assert_eq!(client.incr::<_, _, i64>("count", 1).await?, 1);

    proxy.black_hole();
    let error = client.incr::<_, _, i64>("count", 1).await.expect_err("nothing comes through");
    assert!(error.is_timeout(), "{error}");
    let mut direct = server.connection().await?;
    assert_eq!(direct.get::<_, i64>("count").await?, 1);
    proxy.pass();

    // The command that timed out was held back and arrives first.
    assert_eq!(client.incr::<_, _, i64>("count", 1).await?, 3);
    Ok(())
}

#[tokio::test]
async fn connections_dropped_in_a_black_hole_lose_what_was_held_back() -> TestResult {
    let server = RedisServer::start().await?;
    let proxy = FaultProxy::in_front_of(server.port()).await?;
    let mut client = client_through(&proxy).await?;

    proxy.black_hole();
    let started = Instant::now();
    let pending = tokio::spawn(async move { client.incr::<_, _, i64>("count", 1).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    proxy.drop_all();
    let error = pending.await?.expect_err("the connection is closed");
    assert!(started.elapsed() < CLIENT_TIMEOUT, "{error}");
    proxy.pass();

    let mut fresh = client_through(&proxy).await?;
    assert_eq!(fresh.incr::<_, _, i64>("count", 1).await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_refusing_proxy_spares_present_connections() -> TestResult {
    let server = RedisServer::start().await?;
    let proxy = FaultProxy::in_front_of(server.port()).await?;
    let mut present = client_through(&proxy).await?;

    proxy.refuse();

    assert!(client_through(&proxy).await.is_err());
    assert_eq!(present.incr::<_, _, i64>("count", 1).await?, 1);
    proxy.pass();
    assert!(client_through(&proxy).await.is_ok());
    Ok(())
}
