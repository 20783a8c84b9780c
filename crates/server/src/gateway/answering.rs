//! From an answer of the gateway to a response.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use mainstay_gateway::serving::{Answer, AnswerBody, Pieces};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::OwnedSemaphorePermit;

/// The response; it keeps its place among the live ones until its body is over.
pub(super) fn respond(answer: Answer, permit: Option<OwnedSemaphorePermit>) -> Response {
    let body = match answer.body {
        AnswerBody::Whole(body) => Body::from(body),
        AnswerBody::Pieces(pieces) => Body::from_stream(Lasting { pieces, _permit: permit }),
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
    *response.headers_mut() = answer.headers;
    let headers = response.headers_mut();
    headers.remove(CONTENT_LENGTH);
    if is_events(headers) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        // Proxies in between would hold pieces back.
        headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    }
    response
}

fn is_events(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

/// Pieces, and the place that they take.
struct Lasting {
    pieces: Pieces,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Stream for Lasting {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.pieces.poll_next_unpin(context)
    }
}
