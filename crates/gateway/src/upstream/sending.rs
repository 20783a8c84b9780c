//! One request to an upstream, and its answer as it comes.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, StatusCode};
use reqwest::{Client, Response};
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

/// A request to an upstream.
pub(crate) struct Outgoing {
    pub client: Client,
    pub method: Method,
    pub address: Url,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// How long the first byte of the answer may take.
    pub first_byte_timeout: Duration,
    /// How long the upstream may be silent within it.
    pub idle_timeout: Duration,
}

/// No answer came.
#[derive(Debug, Clone)]
pub(crate) struct Unreached {
    /// In words, without an address.
    pub why: String,
    /// Whether the request cannot have arrived.
    pub unsent: bool,
    /// Whether it took too long.
    pub timed_out: bool,
}

/// An answer that broke off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interrupted {
    /// The connection ended before the answer did.
    Cut,
    /// The upstream was silent for too long.
    Silent,
    /// It is longer than is taken.
    TooLong,
}

impl Interrupted {
    /// In words.
    pub const fn why(self) -> &'static str {
        match self {
            Self::Cut => "the upstream broke off its answer",
            Self::Silent => "the upstream was silent for too long",
            Self::TooLong => "the upstream's answer is longer than is taken",
        }
    }
}

/// An answer of which the head is there.
pub(crate) struct Incoming {
    pub status: StatusCode,
    pub headers: HeaderMap,
    response: Response,
    /// Until when the first byte of the body must be there.
    first_byte_by: Instant,
    idle_timeout: Duration,
    has_begun: bool,
}

/// Sends a request and waits for the head of the answer.
pub(crate) async fn send(outgoing: Outgoing) -> Result<Incoming, Unreached> {
    let first_byte_by = Instant::now() + outgoing.first_byte_timeout;
    let request = outgoing.client.request(outgoing.method, outgoing.address);
    let sending = request.headers(outgoing.headers).body(outgoing.body).send();
    match timeout_at(first_byte_by, sending).await {
        Ok(Ok(mut response)) => Ok(Incoming {
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            response,
            first_byte_by,
            idle_timeout: outgoing.idle_timeout,
            has_begun: false,
        }),
        Ok(Err(cause)) if cause.is_connect() || cause.is_builder() => {
            Err(Unreached { why: "it cannot be reached".into(), unsent: true, timed_out: cause.is_timeout() })
        }
        Ok(Err(cause)) => {
            tracing::debug!(cause = %crate::chain(&cause.without_url()), "an upstream gave no answer");
            Err(Unreached { why: "it ended the connection without an answer".into(), unsent: false, timed_out: false })
        }
        Err(_) => {
            let limit_ms = outgoing.first_byte_timeout.as_millis();
            let why = format!("it gave no answer within {limit_ms} ms");
            Err(Unreached { why, unsent: false, timed_out: true })
        }
    }
}

impl Incoming {
    /// The next piece of the body; nothing at its end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Interrupted> {
        let piece = match self.has_begun {
            true => timeout(self.idle_timeout, self.response.chunk()).await,
            false => timeout_at(self.first_byte_by, self.response.chunk()).await,
        };
        match piece {
            Ok(Ok(piece)) => {
                self.has_begun = true;
                Ok(piece)
            }
            Ok(Err(_)) => Err(Interrupted::Cut),
            Err(_) => Err(Interrupted::Silent),
        }
    }

    /// The whole body, up to this many bytes.
    pub async fn whole(&mut self, limit_bytes: usize) -> Result<Bytes, Interrupted> {
        let Some(first) = self.next().await? else { return Ok(Bytes::new()) };
        let Some(second) = self.next().await? else { return Ok(first) };
        let mut body = BytesMut::from(first);
        let mut piece = Some(second);
        while let Some(more) = piece {
            if body.len() + more.len() > limit_bytes {
                return Err(Interrupted::TooLong);
            }
            body.extend_from_slice(&more);
            piece = self.next().await?;
        }
        Ok(body.freeze())
    }

    /// What an upstream says of why it refuses: as much of it as is passed on.
    pub async fn complaint(&mut self, limit_bytes: usize) -> Bytes {
        let mut body = BytesMut::new();
        while let Ok(Some(piece)) = self.next().await {
            let room = limit_bytes.saturating_sub(body.len());
            body.extend_from_slice(&piece[..piece.len().min(room)]);
            if body.len() >= limit_bytes {
                break;
            }
        }
        body.freeze()
    }
}
