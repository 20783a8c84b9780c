//! A connection over a WebSocket: the frames that wait are one message, written without being copied.

use super::session::{Attachment, Next, Session};
use crate::live::socket::{self, Heard, Reader, Socket, Upgrade, WriteHalf};
use axum::response::Response;
use bytes::Bytes;
use mainstay_signalr::close::Ending;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

/// How long the client may take to close after it was told to.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// Pongs that may wait to be written. A client that pings faster gets fewer: the last one of several is enough.
const MAX_REPLIES: usize = 4;

/// How one socket of a connection came to its end.
enum Ended {
    /// It was cut, or the client closed it.
    Gone,
    /// The session is over, and its last frames are written.
    Finished(Ending),
}

/// A socket that is to be, of a session.
pub(super) struct Opening {
    pub upgrade: Upgrade,
    pub session: Arc<Session>,
    /// Longest message of the client.
    pub message_bytes: usize,
}

/// Upgrades the request to a socket of the session.
pub(super) fn open(opening: Opening, tasks: &TaskTracker) -> Response {
    let Opening { upgrade, session, message_bytes } = opening;
    // Several messages may share a frame, and a length or a separator stands with each.
    let limit_bytes = message_bytes.saturating_mul(2);
    let (response, socket) = upgrade.accept();
    tasks.spawn(async move {
        let Some(socket) = socket.await else { return };
        let Some(attachment) = session.attach().await else { return };
        carry(socket, attachment, limit_bytes).await;
    });
    response
}

/// Carries bytes both ways until one side ends it.
async fn carry(socket: Socket, mut attachment: Attachment, limit_bytes: usize) {
    attachment.line.resume();
    let (said, mut replies) = mpsc::channel(MAX_REPLIES);
    let reply = Box::new(move |frames| drop(said.try_send(frames)));
    let (mut reader, mut out) = socket.split(reply, limit_bytes).await;
    let (session, superseded) = (Arc::clone(&attachment.session), attachment.superseded.clone());
    let ended = tokio::select! {
        () = superseded.cancelled() => Ended::Gone,
        ended = write(&mut out, &mut attachment, &mut replies) => ended,
        ended = read(&mut reader, &session) => ended,
    };
    match ended {
        Ended::Finished(ending) => {
            attachment.finish();
            close(out, reader, &ending).await;
        }
        Ended::Gone => {
            drop(attachment);
            // One that closed the socket itself waits for the same of the server.
            let _in_time =
                tokio::time::timeout(CLOSE_TIMEOUT, socket::hang_up(&mut out, socket::close(1_000, ""))).await;
        }
    }
}

async fn read(reader: &mut Reader, session: &Session) -> Ended {
    loop {
        let bytes = match reader.next().await {
            Heard::Text(text) => Bytes::from(text),
            Heard::Binary(bytes) => bytes,
            Heard::Alive => continue,
            Heard::TooLarge | Heard::Invalid(_) | Heard::Gone => return Ended::Gone,
        };
        if !session.deliver(bytes).await {
            // What it says last is still to be written.
            return std::future::pending().await;
        }
    }
}

async fn write(out: &mut WriteHalf, attachment: &mut Attachment, replies: &mut mpsc::Receiver<Bytes>) -> Ended {
    loop {
        let next = tokio::select! {
            next = attachment.line.next() => next,
            Some(reply) = replies.recv() => match socket::reply(out, vec![reply]).await {
                Ok(()) => continue,
                Err(_) => return Ended::Gone,
            },
        };
        let (frames, ending) = match next {
            Next::Frames(frames) => (frames, None),
            Next::Last(frames, ending) => (frames, Some(ending)),
        };
        match (socket::message(out, (frames, attachment.line.is_text())).await, ending) {
            (Ok(()), None) => {}
            (Ok(()), Some(ending)) => return Ended::Finished(ending),
            (Err(_), _) => return Ended::Gone,
        }
    }
}

/// Closes the socket, and waits a little for the client to do the same: what it has not read would be lost otherwise.
async fn close(mut out: WriteHalf, mut reader: Reader, ending: &Ending) {
    let closing = async {
        if socket::hang_up(&mut out, socket::close(ending.websocket_code(), "")).await.is_ok() {
            reader.ended().await;
        }
    };
    let _in_time = tokio::time::timeout(CLOSE_TIMEOUT, closing).await;
}
