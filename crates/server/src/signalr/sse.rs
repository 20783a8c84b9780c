//! A connection over server-sent events: what the client sends comes in requests of its own.

use super::session::{Attachment, Next, Session};
use super::{uncached, unknown};
use crate::problem::Failure;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures::stream;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue};
use std::convert::Infallible;
use std::sync::Arc;

/// Lets an `EventSource` know at once that it is open.
const FIRST: &[u8] = b":\r\n\r\n";

/// Streams the frames of the session, as the only transport that it has.
pub(super) async fn open(session: Arc<Session>) -> Result<Response, Failure> {
    let attachment = session.attach().await.ok_or_else(unknown)?;
    let first = stream::iter([Ok::<_, Infallible>(Bytes::from_static(FIRST))]);
    let rest = stream::unfold(Some(attachment), |attachment| async {
        let mut attachment: Attachment = attachment?;
        let superseded = attachment.superseded.clone();
        match superseded.run_until_cancelled(attachment.line.next()).await? {
            Next::Frames(frames) => Some((Ok(events(&frames)), Some(attachment))),
            Next::Last(frames, _) => {
                attachment.finish();
                Some((Ok(events(&frames)), None))
            }
        }
    });
    let body = Body::from_stream(futures::StreamExt::chain(first, rest));
    let mut response = uncached(body.into_response());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    // nginx would otherwise hold events back until its buffer is full.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

/// One event for each frame. A line break within it, which JSON allows between its tokens, begins another line of the
/// same event.
fn events(frames: &[Bytes]) -> Bytes {
    let mut out = BytesMut::with_capacity(frames.iter().map(|frame| frame.len() + 16).sum());
    for frame in frames {
        for line in frame.split(|byte| matches!(byte, b'\n' | b'\r')) {
            out.extend_from_slice(b"data: ");
            out.extend_from_slice(line);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
    }
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_one_event_whatever_line_breaks_it_has() {
        let frames = [Bytes::from_static(b"{}\x1e"), Bytes::from_static(b"{\"a\":\n1}\x1e")];
        assert_eq!(events(&frames), &b"data: {}\x1e\r\n\r\ndata: {\"a\":\r\ndata: 1}\x1e\r\n\r\n"[..]);
    }
}
