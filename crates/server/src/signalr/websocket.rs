//! A connection over a WebSocket.

use super::session::{Attachment, Next, Session};
use crate::live::joined;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use bytes::Bytes;
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use mainstay_signalr::close::Ending;
use std::sync::Arc;
use std::time::Duration;

/// How long the client may take to close after it was told to.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one write may take. A client that takes nothing for so long is gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// What is read at a time: connections are many, and messages of clients small.
const READ_BUFFER_BYTES: usize = 1_024;

type Sink = SplitSink<WebSocket, Message>;

/// How one socket of a connection came to its end.
enum Socket {
    /// It was cut, or the client closed it.
    Gone,
    /// The session is over, and its last frames are written.
    Finished(Ending),
}

/// Upgrades the request to a socket of the session.
pub(super) fn open(upgrade: WebSocketUpgrade, session: Arc<Session>, message_bytes: usize) -> Response {
    // Several messages may share a frame, and a length or a separator stands with each.
    let limit_bytes = message_bytes.saturating_mul(2);
    upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_message_size(limit_bytes)
        .max_frame_size(limit_bytes)
        .on_upgrade(move |socket| async move {
            let Some(attachment) = session.attach().await else { return };
            carry(socket, attachment).await;
        })
}

/// Carries bytes both ways until one side ends it.
async fn carry(socket: WebSocket, mut attachment: Attachment) {
    attachment.line.resume();
    let (mut sink, mut stream) = socket.split();
    let (session, superseded) = (Arc::clone(&attachment.session), attachment.superseded.clone());
    let ended = tokio::select! {
        () = superseded.cancelled() => Socket::Gone,
        ended = write(&mut sink, &mut attachment) => ended,
        ended = read(&mut stream, &session) => ended,
    };
    if let Socket::Finished(ending) = ended {
        attachment.finish();
        close(sink, stream, &ending).await;
    }
}

async fn read(stream: &mut SplitStream<WebSocket>, session: &Session) -> Socket {
    while let Some(Ok(message)) = stream.next().await {
        let bytes = match message {
            Message::Text(text) => Bytes::from(text),
            Message::Binary(bytes) => bytes,
            Message::Ping(_) | Message::Pong(_) => continue,
            Message::Close(_) => break,
        };
        if !session.deliver(bytes).await {
            // What it says last is still to be written.
            return std::future::pending().await;
        }
    }
    Socket::Gone
}

async fn write(sink: &mut Sink, attachment: &mut Attachment) -> Socket {
    loop {
        let (frames, ending) = match attachment.line.next().await {
            Next::Frames(frames) => (frames, None),
            Next::Last(frames, ending) => (frames, Some(ending)),
        };
        let written = tokio::time::timeout(SEND_TIMEOUT, sink.send(message(&frames, attachment.line.is_text())));
        match (written.await, ending) {
            (Ok(Ok(())), None) => {}
            (Ok(Ok(())), Some(ending)) => return Socket::Finished(ending),
            _ => return Socket::Gone,
        }
    }
}

/// One message of the socket for all frames: the protocol tells them apart.
fn message(frames: &[Bytes], is_text: bool) -> Message {
    let bytes = joined(frames);
    match is_text.then(|| Utf8Bytes::try_from(bytes.clone())) {
        Some(Ok(text)) => Message::Text(text),
        _ => Message::Binary(bytes),
    }
}

/// Closes the socket, and waits a little for the client to do the same: what it has not read would be lost otherwise.
async fn close(mut sink: Sink, mut stream: SplitStream<WebSocket>, ending: &Ending) {
    let frame = CloseFrame { code: ending.websocket_code(), reason: Utf8Bytes::default() };
    let closing = async {
        if sink.send(Message::Close(Some(frame))).await.is_ok() {
            while let Some(Ok(_)) = stream.next().await {}
        }
    };
    let _in_time = tokio::time::timeout(CLOSE_TIMEOUT, closing).await;
}
