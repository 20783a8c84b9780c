//! The adapter over a pair of streams, usually stdin and stdout.

use super::backend::Backend;
use super::handler::Handler;
use super::order::InOrder;
use super::subscriptions::Push;
use rmcp::ServiceExt;
use rmcp::service::ServerInitializeError;
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::transport::io::stdio_pipes;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Longest line accepted, in bytes: the largest message body, escaped, and some room.
const MAX_LINE_BYTES: usize = 4 * 1_024 * 1_024;
/// Most calls of one client that wait at a time.
const MAX_WAITS: usize = 64;

/// How to serve one client over a pair of streams.
pub struct StdioOptions {
    /// What the client's calls reach.
    pub backend: Arc<dyn Backend>,
    /// The version that the server reports.
    pub version: String,
    /// Ends the session: what waits returns, then the streams are closed.
    pub shutdown: CancellationToken,
}

/// Why a session could not go on.
#[derive(Debug, thiserror::Error)]
pub enum StdioError {
    /// The client did not begin as the protocol says.
    #[error("the client did not begin as the protocol says: {0}")]
    Handshake(#[source] Box<ServerInitializeError>),
    /// The task that serves the session failed.
    #[error("the session failed: {0}")]
    Session(#[from] tokio::task::JoinError),
}

/// Serves a client over stdin and stdout until it closes its end, or the server is told to stop. Nothing else may be
/// written to stdout meanwhile.
///
/// # Errors
/// A client that does not speak the protocol.
pub async fn serve_stdio(options: StdioOptions) -> Result<(), StdioError> {
    let (read, write) = stdio_pipes();
    serve_streams(read, write, options).await
}

/// Serves a client over a pair of streams, as [`serve_stdio`] does.
///
/// # Errors
/// A client that does not speak the protocol.
pub async fn serve_streams<R, W>(read: R, write: W, options: StdioOptions) -> Result<(), StdioError>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let stopping = options.shutdown.child_token();
    let handler = Handler {
        backend: options.backend,
        version: options.version,
        push: Push::Connection(Arc::default()),
        waits: Arc::new(Semaphore::new(MAX_WAITS)),
        stopping: stopping.clone(),
    };
    let read = UntilClosed { inner: read, closed: stopping };
    let transport = InOrder::new(AsyncRwTransport::new_server(read, write).with_max_line_length(MAX_LINE_BYTES));
    let running = match handler.serve_with_ct(transport, options.shutdown).await {
        Ok(running) => running,
        // A client that leaves before it said anything has done nothing wrong.
        Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => return Ok(()),
        Err(error) => return Err(StdioError::Handshake(Box::new(error))),
    };
    running.waiting().await?;
    Ok(())
}

/// Cancels a token when the client closes its end. The protocol library waits for seconds until calls end by
/// themselves, and clients kill a server that lingers: whoever has left waits for nothing.
struct UntilClosed<R> {
    inner: R,
    closed: CancellationToken,
}

impl<R: AsyncRead + Unpin> AsyncRead for UntilClosed<R> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let (before, room) = (buf.filled().len(), buf.remaining());
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        let ended = match &polled {
            Poll::Ready(Ok(())) => room > 0 && buf.filled().len() == before,
            Poll::Ready(Err(_)) => true,
            Poll::Pending => false,
        };
        if ended {
            self.closed.cancel();
        }
        polled
    }
}
