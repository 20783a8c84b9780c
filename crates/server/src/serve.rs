//! Serving a listener, until told to stop.

use crate::access::Peer;
use axum::{Extension, Router};
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
/// Pause between two looks at a connection whose first bytes may become either version of HTTP. Clients send the
/// preface of HTTP/2 in one piece: nearly none needs a second look.
const PREFACE_PAUSE: Duration = Duration::from_millis(20);
/// What a connection of HTTP/2 begins with.
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
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
            Ok((stream, peer, permit)) => {
                let accepted = Accepted {
                    stream,
                    peer,
                    watcher: graceful.watcher(),
                    shutdown: shutdown.clone(),
                    begin_within: HEADER_TIMEOUT,
                    permit,
                };
                connections.spawn(connection(accepted, router.clone()));
            }
            Err(error) if is_of_the_peer(&error) => tracing::debug!(%error, "a connection was gone at once"),
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

async fn accept(listener: &TcpListener, room: &Arc<Semaphore>) -> io::Result<(TcpStream, Peer, OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, address) = listener.accept().await?;
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "small frames may be delayed on a connection");
    }
    Ok((stream, Peer(address), permit))
}

/// Whether the peer caused the error, which must then cost others nothing.
fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

struct Accepted {
    stream: TcpStream,
    peer: Peer,
    watcher: Watcher,
    shutdown: CancellationToken,
    /// How long the peer may take until its version of HTTP is known.
    begin_within: Duration,
    /// Held for as long as the connection lives.
    permit: OwnedSemaphorePermit,
}

impl Accepted {
    /// Waits for the first bytes. The bounds of either version of HTTP begin once it is known which one it is: without
    /// this one, a peer that says nothing would keep its place for ever.
    async fn begins(&self) -> bool {
        let begun = tokio::time::timeout(self.begin_within, version_known(&self.stream));
        match self.shutdown.run_until_cancelled(begun).await {
            Some(Ok(Ok(()))) => true,
            Some(Ok(Err(error))) => {
                tracing::debug!(%error, "a connection ended before it began");
                false
            }
            Some(Err(_)) => {
                tracing::debug!("a connection that said nothing was closed");
                false
            }
            None => false,
        }
    }
}

/// Returns once the first bytes tell HTTP/1 from HTTP/2.
async fn version_known(stream: &TcpStream) -> io::Result<()> {
    let mut first = [0; HTTP2_PREFACE.len()];
    loop {
        let count = stream.peek(&mut first).await?;
        let Some(preface) = HTTP2_PREFACE.get(..count).filter(|preface| first.get(..count) == Some(*preface)) else {
            return Ok(());
        };
        if preface.len() == HTTP2_PREFACE.len() {
            return Ok(());
        }
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        tokio::time::sleep(PREFACE_PAUSE).await;
    }
}

async fn connection(accepted: Accepted, router: Router) {
    if !accepted.begins().await {
        return;
    }
    let Accepted { stream, peer, watcher, permit: _permit, .. } = accepted;
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(MAX_HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_HTTP2_STREAMS)
        .max_header_list_size(MAX_HEAD_BYTES as u32)
        .keep_alive_interval(Some(Duration::from_secs(30)));
    // Before everything else, so that the first layer knows where the request comes from.
    let service = router.layer(Extension(peer));
    let serving =
        builder.serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(service)).into_owned();
    if let Err(error) = watcher.watch(serving).await {
        tracing::debug!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const SOON: Duration = Duration::from_secs(20);

    /// What the server sends until it closes a connection on which these bytes came, and no more.
    async fn answer_to(bytes: &[u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, peer, permit) = accept(&listener, &Arc::new(Semaphore::new(1))).await.unwrap();
        let graceful = GracefulShutdown::new();
        let accepted = Accepted {
            stream,
            peer,
            watcher: graceful.watcher(),
            shutdown: CancellationToken::new(),
            begin_within: Duration::from_millis(100),
            permit,
        };
        client.write_all(bytes).await.unwrap();
        let serving = tokio::spawn(connection(accepted, Router::new()));
        let mut answer = Vec::new();
        // A connection that is closed on bytes nobody took may end with a reset.
        let _ended = tokio::time::timeout(SOON, client.read_to_end(&mut answer)).await.expect("it is closed");
        serving.await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[tokio::test]
    async fn a_connection_that_says_nothing_is_closed() {
        assert_eq!(answer_to(b"").await, "");
    }

    #[tokio::test]
    async fn a_connection_that_stops_within_the_preface_of_http2_is_closed() {
        assert_eq!(answer_to(b"PRI * HT").await, "");
    }

    #[tokio::test]
    async fn a_request_is_served_after_its_first_bytes_were_looked_at() {
        let answer = answer_to(b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    }
}
