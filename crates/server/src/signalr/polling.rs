//! A connection over long polls.

use super::session::{Next, Session};
use super::{empty, uncached, unknown};
use crate::problem::Failure;
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use std::sync::Arc;
use std::time::Duration;

/// The first poll says that the connection is there.
pub(super) async fn begin(session: &Arc<Session>) -> Result<Response, Failure> {
    let attachment = session.attach().await.ok_or_else(unknown)?;
    drop(attachment);
    Ok(empty(StatusCode::OK))
}

/// Waits for frames: 200 with them, 200 without any when the time is up, 204 when there will be none.
pub(super) async fn poll(session: Arc<Session>, at_most: Duration) -> Response {
    let Some(mut attachment) = session.attach().await else {
        return empty(StatusCode::NO_CONTENT);
    };
    let superseded = attachment.superseded.clone();
    let next = tokio::time::timeout(at_most, superseded.run_until_cancelled(attachment.line.next())).await;
    match next {
        Err(_) => empty(StatusCode::OK),
        Ok(None) => empty(StatusCode::NO_CONTENT),
        Ok(Some(Next::Frames(frames))) => answer(&frames, attachment.line.is_text()),
        Ok(Some(Next::Last(frames, _))) if frames.is_empty() => {
            attachment.finish();
            empty(StatusCode::NO_CONTENT)
        }
        Ok(Some(Next::Last(frames, _))) => {
            let answer = answer(&frames, attachment.line.is_text());
            attachment.finish();
            answer
        }
    }
}

fn answer(frames: &[Bytes], is_text: bool) -> Response {
    let mut body = BytesMut::with_capacity(frames.iter().map(Bytes::len).sum());
    frames.iter().for_each(|frame| body.extend_from_slice(frame));
    let kind = if is_text { "text/plain; charset=utf-8" } else { "application/octet-stream" };
    let mut response = uncached(body.freeze().into_response());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
