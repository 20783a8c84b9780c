//! What a client sends over a socket.

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

/// What is read at a time: connections are many, and messages of clients small.
const READ_BUFFER_BYTES: usize = 512;

/// Takes the frames that the library has to say by itself, such as a pong, to where frames are written.
pub(crate) type Replies = Box<dyn FnMut(Bytes) + Send>;

/// The reading end of a socket.
pub(crate) struct Reader {
    stream: WebSocketStream<Half>,
}

/// What was heard of the client.
#[derive(Debug)]
pub(crate) enum Heard {
    /// A text.
    Text(Utf8Bytes),
    /// Bytes.
    Binary(Bytes),
    /// A sign of life.
    Alive,
    /// More than a message may have.
    TooLarge,
    /// What is no message.
    Invalid(String),
    /// The client has closed the socket, or it was cut.
    Gone,
}

impl Reader {
    pub(super) async fn new(
        (read, first): (Box<dyn AsyncRead + Send + Unpin>, Bytes),
        replies: Replies,
        max_message_bytes: usize,
    ) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(max_message_bytes))
            .max_frame_size(Some(max_message_bytes));
        let half = Half { read, replies, unsent: BytesMut::new() };
        let stream = WebSocketStream::from_partially_read(half, first.to_vec(), Role::Server, Some(config)).await;
        Self { stream }
    }

    /// Waits for what the client says next. Given up half-way, it loses nothing.
    pub(crate) async fn next(&mut self) -> Heard {
        match self.stream.next().await {
            Some(Ok(Message::Text(text))) => Heard::Text(text),
            Some(Ok(Message::Binary(bytes))) => Heard::Binary(bytes),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Heard::Alive,
            Some(Ok(Message::Close(_))) | None => Heard::Gone,
            Some(Err(Error::Capacity(_))) => Heard::TooLarge,
            Some(Err(error @ (Error::Protocol(_) | Error::Utf8(_)))) => Heard::Invalid(error.to_string()),
            Some(Err(_)) => Heard::Gone,
        }
    }

    /// Waits until the client has closed the socket as well.
    pub(crate) async fn ended(&mut self) {
        while !matches!(self.next().await, Heard::Gone | Heard::Invalid(_) | Heard::TooLarge) {}
    }
}

/// Reads from the socket. What the library has to say by itself is put between the other frames.
struct Half {
    read: Box<dyn AsyncRead + Send + Unpin>,
    replies: Replies,
    unsent: BytesMut,
}

impl AsyncRead for Half {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.read).poll_read(context, buffer)
    }
}

impl AsyncWrite for Half {
    fn poll_write(mut self: Pin<&mut Self>, _context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.unsent.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The library flushes behind whole frames.
        let frames = std::mem::take(&mut self.unsent).freeze();
        if !frames.is_empty() {
            (self.replies)(frames);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
