//! The WebSocket of live events, message by message.

use crate::call::{Call, path};
use crate::events::EventsClient;
use crate::transport::sockets;
use crate::{ClientError, Result};
use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderValue, StatusCode};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use mainstay_api::errors::Applied;
use mainstay_api::events::LiveRequest;
use std::time::Duration;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

/// What is read at a time: a process may have many sockets.
const READ_BUFFER_BYTES: usize = 8 * 1_024;
/// What may wait to be written, in bytes: a request is no larger than the server takes.
const MAX_WRITE_BUFFER_BYTES: usize = 1_024 * 1_024;

/// An open WebSocket. Dropping it cuts it.
pub struct LiveSocket {
    stream: WebSocketStream<TokioIo<Upgraded>>,
}

/// How a socket came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketEnd {
    /// The close code, where the server gave one.
    pub code: Option<u16>,
    /// What was said with it, or what went wrong.
    pub detail: String,
}

impl SocketEnd {
    /// Whether to come back, from the positions that were reached: not where something has to be changed first.
    #[must_use]
    pub fn comes_back(&self) -> bool {
        !matches!(self.code, Some(1_000 | 4_400..=4_499))
    }

    fn cut(detail: impl std::fmt::Display) -> Self {
        Self { code: None, detail: detail.to_string() }
    }
}

impl EventsClient<'_> {
    /// Opens the WebSocket of live events. Needs a server over the network.
    ///
    /// # Errors
    /// `auth.credential_invalid`, `server.overloaded`; those of connecting.
    pub async fn open_socket(&self) -> Result<LiveSocket> {
        let after_ms = self.0.inner.options.response_timeout_ms;
        tokio::time::timeout(Duration::from_millis(after_ms), self.upgrade())
            .await
            .unwrap_or(Err(ClientError::TimedOut { after_ms }))
    }

    async fn upgrade(&self) -> Result<LiveSocket> {
        let call = Call::get(path(&["v1", "events", "ws"]));
        let key = generate_key();
        let mut request = self.0.request(&call)?;
        let headers = request.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        headers.insert(SEC_WEBSOCKET_KEY, HeaderValue::from_str(&key).map_err(|_| unlike("the key is no header"))?);
        let transport = sockets(&self.0.inner)?;
        let response = self.0.exchange_over(transport, &call, request).await?;
        let accepted = response.headers().get(SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes);
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(self.0.refused(response).await);
        }
        if accepted != Some(derive_accept_key(key.as_bytes()).as_bytes()) {
            return Err(unlike("it accepted another WebSocket than was asked for"));
        }
        let upgraded = hyper::upgrade::on(response).await.map_err(|cause| ClientError::Connection {
            detail: "the connection ended before it became a socket".into(),
            cause: cause.to_string(),
            applied: Applied::No,
        })?;
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES);
        let stream = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, Some(config)).await;
        Ok(LiveSocket { stream })
    }
}

impl LiveSocket {
    /// Says something to the server.
    ///
    /// # Errors
    /// The socket has ended.
    pub async fn say(&mut self, request: &LiveRequest) -> Result<(), SocketEnd> {
        let text = serde_json::to_string(request).map_err(SocketEnd::cut)?;
        self.stream.send(Message::text(text)).await.map_err(SocketEnd::cut)
    }

    /// Waits for the next message of the server, which is a JSON document with an `op`. Given up half-way, it loses
    /// nothing.
    ///
    /// # Errors
    /// The socket has ended.
    pub async fn next(&mut self) -> Result<Bytes, SocketEnd> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text.into()),
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Err(SocketEnd { code: Some(frame.code.into()), detail: frame.reason.to_string() });
                }
                Some(Ok(Message::Close(None))) => return Err(SocketEnd::cut("the server closed the socket")),
                Some(Ok(_)) => {}
                Some(Err(Error::ConnectionClosed)) | None => return Err(SocketEnd::cut("the connection was cut")),
                Some(Err(error)) => return Err(SocketEnd::cut(error)),
            }
        }
    }

    /// Closes the socket, and waits until the server has done so as well.
    pub async fn close(mut self) {
        if self.stream.close(None).await.is_ok() {
            while self.next().await.is_ok() {}
        }
    }
}

fn unlike(detail: &str) -> ClientError {
    ClientError::Protocol { detail: detail.into(), status: StatusCode::SWITCHING_PROTOCOLS.as_u16() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_comes_back_unless_something_has_to_change() {
        let ended = |code| SocketEnd { code, detail: String::new() }.comes_back();
        assert!(ended(None) && ended(Some(4_503)) && ended(Some(4_529)) && ended(Some(1_006)));
        assert!(!ended(Some(1_000)) && !ended(Some(4_401)) && !ended(Some(4_400)));
    }
}
