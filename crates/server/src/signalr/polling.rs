//! A connection over long polls.

use super::session::{Next, Session};
use super::{empty, uncached, unknown};
use crate::live::joined;
use crate::problem::Failure;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
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

/// What a poll comes to.
pub(super) enum Polled {
    /// The time is up.
    Nothing,
    /// There is nothing more to come, or a newer poll took over.
    Over,
    /// What was waiting, as one body.
    Frames { bytes: Bytes, is_text: bool },
}

/// Waits for frames.
pub(super) async fn poll(session: &Arc<Session>, at_most: Duration) -> Polled {
    let Some(mut attachment) = session.attach().await else {
        return Polled::Over;
    };
    let superseded = attachment.superseded.clone();
    let next = tokio::time::timeout(at_most, superseded.run_until_cancelled(attachment.line.next())).await;
    let (frames, last) = match next {
        Err(_) => return Polled::Nothing,
        Ok(None) => return Polled::Over,
        Ok(Some(Next::Frames(frames))) => (frames, false),
        Ok(Some(Next::Last(frames, _))) => (frames, true),
    };
    let is_text = attachment.line.is_text();
    if last {
        attachment.finish();
    }
    Polled::Frames { bytes: joined(&frames), is_text }
}

/// 200 with frames, 200 without any when the time is up, 204 when there will be none.
impl IntoResponse for Polled {
    fn into_response(self) -> Response {
        let (bytes, is_text) = match self {
            Self::Nothing => return empty(StatusCode::OK),
            Self::Over => return empty(StatusCode::NO_CONTENT),
            Self::Frames { bytes, is_text } => (bytes, is_text),
        };
        let kind = if is_text { "text/plain; charset=utf-8" } else { "application/octet-stream" };
        let mut response = uncached(bytes.into_response());
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        response
    }
}
