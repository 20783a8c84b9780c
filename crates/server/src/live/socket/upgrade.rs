//! From a request to a socket (RFC 6455, section 4.2).

use super::read::{Reader, Replies};
use crate::problem::Failure;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::upgrade::downcast;
use mainstay_core::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

type ReadHalf = Box<dyn AsyncRead + Send + Unpin>;
/// Where a socket is written.
pub(crate) type WriteHalf = Box<dyn AsyncWrite + Send + Unpin>;

/// A request that may become a socket.
pub(crate) struct Upgrade {
    on_upgrade: OnUpgrade,
    accept: HeaderValue,
}

/// A socket, in its two directions.
pub(crate) struct Socket {
    read: ReadHalf,
    /// What came with the request.
    first: Bytes,
    /// Where frames are written.
    pub write: WriteHalf,
}

impl Upgrade {
    /// Takes the upgrade out of a request.
    ///
    /// # Errors
    /// Where the request asks for none, or for another version.
    pub(crate) fn of(parts: &mut Parts) -> Result<Self, Failure> {
        let headers = &parts.headers;
        let asked = parts.method == Method::GET
            && parts.version == Version::HTTP_11
            && has_token(headers, &CONNECTION, "upgrade")
            && has_token(headers, &UPGRADE, "websocket");
        if !asked {
            return Err(refused("this address takes a WebSocket over HTTP/1.1, and the request asks for none"));
        }
        if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            return Err(refused("header sec-websocket-version: it must be 13"));
        }
        let key = headers.get(SEC_WEBSOCKET_KEY).ok_or_else(|| refused("header sec-websocket-key: it is missing"))?;
        let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes()))
            .map_err(|_| refused("header sec-websocket-key: it is not valid"))?;
        let on_upgrade = parts.extensions.remove::<OnUpgrade>();
        let on_upgrade = on_upgrade.ok_or_else(|| refused("this connection cannot become a WebSocket"))?;
        Ok(Self { on_upgrade, accept })
    }

    /// The answer to the request, and the socket that follows it.
    pub(crate) fn accept(self) -> (Response, impl Future<Output = Option<Socket>> + Send + 'static) {
        let Self { on_upgrade, accept } = self;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        let socket = async move {
            match on_upgrade.await {
                Ok(upgraded) => Some(Socket::of(upgraded)),
                Err(error) => {
                    tracing::debug!(%error, "a connection ended before it became a socket");
                    None
                }
            }
        };
        (response, socket)
    }
}

impl Socket {
    fn of(upgraded: hyper::upgrade::Upgraded) -> Self {
        match downcast::<TokioIo<TcpStream>>(upgraded) {
            Ok(parts) => {
                let (read, write) = parts.io.into_inner().into_split();
                Self { read: Box::new(read), first: parts.read_buf, write: Box::new(write) }
            }
            // Whatever else carries HTTP is written through the connection that it was.
            Err(upgraded) => {
                let (read, write) = tokio::io::split(TokioIo::new(upgraded));
                Self { read: Box::new(read), first: Bytes::new(), write: Box::new(write) }
            }
        }
    }

    /// Its two ends. What the reading one has to say by itself goes where replies go.
    pub(crate) async fn split(self, replies: Replies, max_message_bytes: usize) -> (Reader, WriteHalf) {
        (Reader::new((self.read, self.first), replies, max_message_bytes).await, self.write)
    }
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|found| found.trim().eq_ignore_ascii_case(token))
}

fn refused(detail: &str) -> Failure {
    Failure(Error::invalid(detail))
}
