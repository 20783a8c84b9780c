//! Listening, health, and the orderly end.

use crate::support::{Call, KEY, SOON, Setup, Site};
use axum::Router;
use axum::routing::get;
use http::StatusCode;
use mainstay_server::{Maintenance, Purged, serve};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

async fn listen(site: &Site, grace_ms: u64) -> (SocketAddr, JoinHandle<std::io::Result<()>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (address, tokio::spawn(serve(listener, site.router.clone(), site.shutdown.clone(), grace_ms)))
}

async fn ask(address: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {KEY}\r\nmainstay-instance: b\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Reads until the text appears; returns what was read.
async fn until(stream: &mut TcpStream, text: &str) -> String {
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains(text) {
        let mut buffer = [0; 4_096];
        let count = timeout(SOON, stream.read(&mut buffer)).await.unwrap().unwrap();
        assert_ne!(count, 0, "the connection ended before {text:?}: {}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8(read).unwrap()
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    // A connection that is cut may end with a reset: what came before it counts.
    let _ended = timeout(SOON, stream.read_to_end(&mut read)).await.unwrap();
    String::from_utf8_lossy(&read).into_owned()
}

#[tokio::test]
async fn streams_polls_and_idle_connections_do_not_hold_up_the_end() {
    let site = Site::start().await;
    let (address, serving) = listen(&site, 60_000).await;
    let mut idle = ask(address, "/v1/whoami").await;
    until(&mut idle, "\"scopes\"").await;
    let _silent = TcpStream::connect(address).await.unwrap();
    let mut stream = ask(address, "/v1/mail/inbox/events").await;
    until(&mut stream, "event: ready").await;
    let mut poll = ask(address, "/v1/mail/inbox?wait_ms=60000").await;
    while site.services.hub.watches() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    site.shutdown.cancel();
    assert!(rest(&mut stream).await.contains("event: bye"));
    assert!(rest(&mut poll).await.contains("\"messages\":[]"));
    timeout(SOON, serving).await.unwrap().unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

/// A route that answers once it is told to.
fn slow(entered: &Arc<Notify>, leave: &Arc<Notify>) -> Router {
    let (entered, leave) = (Arc::clone(entered), Arc::clone(leave));
    Router::new().route(
        "/",
        get(async move || {
            entered.notify_one();
            leave.notified().await;
            "done"
        }),
    )
}

#[tokio::test]
async fn a_request_in_flight_is_finished_within_the_grace() {
    let (entered, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let site = Site::start_with(Setup { mcp: Some(slow(&entered, &leave)), ..Setup::default() }).await;
    let (address, serving) = listen(&site, 60_000).await;
    let mut request = ask(address, "/mcp").await;
    timeout(SOON, entered.notified()).await.unwrap();
    site.shutdown.cancel();
    leave.notify_one();
    assert!(rest(&mut request).await.ends_with("done"));
    timeout(SOON, serving).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_request_that_outlasts_the_grace_is_cut() {
    let (entered, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let site = Site::start_with(Setup { mcp: Some(slow(&entered, &leave)), ..Setup::default() }).await;
    let (address, serving) = listen(&site, 50).await;
    let mut request = ask(address, "/mcp").await;
    timeout(SOON, entered.notified()).await.unwrap();
    site.shutdown.cancel();
    timeout(SOON, serving).await.unwrap().unwrap().unwrap();
    assert_eq!(rest(&mut request).await, "");
}

#[tokio::test]
async fn readiness_follows_the_store_and_liveness_does_not() {
    let site = Site::start().await;
    for path in ["/health", "/health/ready"] {
        let health = site.call(Call::get(path)).await.ok().await;
        assert_eq!((&health["status"], &health["store"]["kind"]), (&"ok".into(), &"redis".into()));
    }
    site.store.kill();
    for path in ["/health", "/health/ready"] {
        let reply = site.call(Call::get(path)).await;
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(reply.headers.contains_key("retry-after"));
        let health = reply.json().await;
        assert_eq!((&health["status"], &health["store"]["reachable"]), (&"unavailable".into(), &false.into()));
    }
    assert_eq!(site.call(Call::get("/health/live")).await.status, StatusCode::OK);
    let metrics = site.call(Call::get("/metrics")).await.text().await;
    assert!(metrics.contains("mainstay_store_up 0\n"), "{metrics}");
    site.call(Call::get("/v1/mail/stats")).await.problem("store.unavailable").await;
}

#[tokio::test]
async fn a_store_that_hangs_is_not_ready_either() {
    let site = Site::start().await;
    site.store.pause().unwrap();
    let reply = timeout(SOON, site.call(Call::get("/health/ready"))).await.unwrap();
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    site.store.resume().unwrap();
}

#[tokio::test]
async fn a_server_that_stops_is_alive_but_not_ready() {
    let site = Site::start().await;
    site.shutdown.cancel();
    assert_eq!(site.call(Call::get("/health/ready")).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(site.call(Call::get("/health/live")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn maintenance_deletes_what_has_expired_in_steps_and_ends_when_told() {
    let mut setup = Setup::default();
    setup.presence.gone_after_ms = 0;
    let site = Site::start_with(setup).await;
    for number in 0..5 {
        let register = Call::new(http::Method::PUT, &format!("/v1/presence/{number}"));
        site.call(register).await.ok().await;
    }
    tokio::time::sleep(Duration::from_millis(5)).await;
    let job = Maintenance { step_limit: 2, max_steps: 2, ..Maintenance::default() }.validate().unwrap();
    assert_eq!(job.run_once(&site.services).await.unwrap(), Purged { instances: 4, ..Purged::default() });
    assert_eq!(job.run_once(&site.services).await.unwrap(), Purged { instances: 1, ..Purged::default() });
    let running = tokio::spawn(job.run(Arc::clone(&site.services), site.shutdown.clone()));
    site.shutdown.cancel();
    timeout(SOON, running).await.unwrap().unwrap();
}
