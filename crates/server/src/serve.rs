//! Serving a listener, until told to stop.

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Most connections at a time; above it new ones wait in the listener's backlog.
const MAX_CONNECTIONS: usize = 16_384;
/// Longest time that a client may take to send the head of a request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);
/// Pause after a connection could not be accepted, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Largest head of a request, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1_024;
/// Streams that one HTTP/2 connection may have open at a time.
const MAX_HTTP2_STREAMS: u32 = 256;

/// Serves until `shutdown` is cancelled: then no connection is accepted any more, live streams and long polls end at
/// once, and requests in flight have `grace_ms` to finish before they are cut.
///
/// # Errors
/// Where the listener has no local address, so cannot be served.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
    grace_ms: u64,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    tracing::info!(%address, "listening");
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    while let Some(accepted) = shutdown.run_until_cancelled(accept(&listener, &room)).await {
        // What has ended is taken out, so that the set is no larger than the connections that are open.
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, permit)) => {
                connections.spawn(connection(stream, router.clone(), graceful.watcher(), permit));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    tracing::info!(connections = connections.len(), grace_ms, "stopping");
    if tokio::time::timeout(Duration::from_millis(grace_ms), graceful.shutdown()).await.is_err() {
        tracing::warn!(grace_ms, "requests in flight were cut");
    }
    connections.shutdown().await;
    Ok(())
}

async fn accept(listener: &TcpListener, room: &Arc<Semaphore>) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, permit))
}

async fn connection(stream: TcpStream, router: Router, watcher: Watcher, _permit: OwnedSemaphorePermit) {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(MAX_HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_HTTP2_STREAMS)
        .max_header_list_size(MAX_HEAD_BYTES as u32)
        .keep_alive_interval(Some(Duration::from_secs(30)));
    let serving = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)).into_owned();
    if let Err(error) = watcher.watch(serving).await {
        tracing::debug!(%error, "a connection ended early");
    }
}
