//! Many clients in one process, which read as little of what they get as counting it takes.

use anyhow::{Context, Result, bail};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

/// The byte that stands once in each event, and nowhere else in what a server sends.
pub const MARK: u8 = b'^';
/// Connections that are being made at one time.
const TOGETHER: usize = 50;
/// A step that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a client says to come to its room: the head of its request, then texts, each in a frame of its own. After
/// each text it waits for what the server answers.
#[derive(Clone)]
pub struct Entrance {
    /// The path with its query.
    pub path: String,
    /// Further lines of the head.
    pub headers: String,
    /// What it waits for before it says anything.
    pub greeting: bool,
    /// What it says.
    pub texts: Vec<String>,
}

/// Connected clients.
#[derive(Default)]
pub struct Clients {
    received: Arc<AtomicU64>,
    bytes: Arc<AtomicU64>,
    tasks: JoinSet<Result<()>>,
}

impl Clients {
    /// Connects this many more to a port of this machine.
    pub async fn connect(&mut self, port: u16, count: usize, entrance: &Entrance) -> Result<()> {
        for first in (0..count).step_by(TOGETHER) {
            let mut entering = JoinSet::new();
            for _ in first..count.min(first + TOGETHER) {
                let entrance = entrance.clone();
                entering.spawn(async move { timeout(PATIENCE, enter(port, &entrance)).await? });
            }
            while let Some(entered) = entering.join_next().await {
                self.tasks.spawn(count_marks(entered??, Arc::clone(&self.received), Arc::clone(&self.bytes)));
            }
        }
        Ok(())
    }

    /// How many events came in, at all clients together.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// How many bytes came in since the clients were connected.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Waits until this many came in, and says how long that took.
    pub async fn until(&mut self, total: u64, began: Instant) -> Result<Duration> {
        while self.received() < total {
            if began.elapsed() > PATIENCE {
                bail!("{} of {total} events came in", self.received());
            }
            if let Some(ended) = self.tasks.try_join_next() {
                ended??;
                bail!("a connection was closed at {} of {total} events", self.received());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(began.elapsed())
    }
}

async fn enter(port: u16, entrance: &Entrance) -> Result<TcpStream> {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await?;
    socket.set_nodelay(true)?;
    let Entrance { path, headers, .. } = entrance;
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    );
    socket.write_all(head.as_bytes()).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(socket.read_u8().await.context("closed in the handshake")?);
    }
    if !answer.starts_with(b"HTTP/1.1 101") {
        bail!("{}", String::from_utf8_lossy(&answer));
    }
    if entrance.greeting {
        read_frame(&mut socket).await?;
    }
    for text in &entrance.texts {
        socket.write_all(&frame(text.as_bytes())).await?;
        read_frame(&mut socket).await?;
    }
    Ok(socket)
}

/// A text frame of a client (RFC 6455, 5.2), masked with zeros.
fn frame(text: &[u8]) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    let mut frame = vec![0x81];
    match length {
        0..126 => frame.push(0x80 | length.to_be_bytes()[1]),
        _ => {
            frame.push(0xfe);
            frame.extend(length.to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(text);
    frame
}

async fn read_frame(socket: &mut TcpStream) -> Result<()> {
    let mut head = [0; 2];
    socket.read_exact(&mut head).await?;
    let length = match head[1] & 0x7f {
        126 => u64::from(socket.read_u16().await?),
        127 => socket.read_u64().await?,
        short => u64::from(short),
    };
    tokio::io::copy(&mut socket.take(length), &mut tokio::io::sink()).await?;
    Ok(())
}

/// Counts the marks within the frames that come; their heads may hold any byte.
async fn count_marks(socket: TcpStream, received: Arc<AtomicU64>, bytes: Arc<AtomicU64>) -> Result<()> {
    let mut frames = Frames::default();
    // One buffer for each read, not for each connection: thousands of clients are not to fill the cache.
    loop {
        socket.readable().await?;
        let mut buffer = [0; 16 * 1_024];
        match socket.try_read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => {
                bytes.fetch_add(read as u64, Ordering::Relaxed);
                received.fetch_add(frames.marks(&buffer[..read]), Ordering::Relaxed);
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Where a reader of frames stands.
#[derive(Default)]
struct Frames {
    head: Vec<u8>,
    left: usize,
}

impl Frames {
    fn marks(&mut self, mut bytes: &[u8]) -> u64 {
        let mut marks = 0;
        while !bytes.is_empty() {
            let payload = bytes.split_off(..self.left.min(bytes.len())).unwrap_or_default();
            self.left -= payload.len();
            marks += payload.iter().filter(|byte| **byte == MARK).count();
            while self.left == 0 && !bytes.is_empty() {
                self.head.extend(bytes.split_off_first());
                if let Some(length) = length_of(&self.head) {
                    self.left = length;
                    self.head.clear();
                }
            }
        }
        marks as u64
    }
}

/// The length of the payload behind a whole head of a frame.
fn length_of(head: &[u8]) -> Option<usize> {
    match head {
        [_, 127, rest @ ..] => {
            Some(u64::from_be_bytes(rest.try_into().ok()?)).and_then(|length| length.try_into().ok())
        }
        [_, 126, rest @ ..] => Some(usize::from(u16::from_be_bytes(rest.try_into().ok()?))),
        [_, short] => Some(usize::from(*short)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_counted_within_frames_however_they_are_cut() {
        let mut sent = vec![0x81, 3, MARK, b'a', MARK, 0x81, 126, 0, 200];
        sent.extend([b'x'; 199]);
        // A head whose length looks like a mark, and an empty frame.
        sent.extend([MARK, 0x89, 0, 0x81, MARK]);
        sent.extend([b'y'; MARK as usize]);
        for size in 1..sent.len() {
            let mut frames = Frames::default();
            assert_eq!(sent.chunks(size).map(|chunk| frames.marks(chunk)).sum::<u64>(), 3, "{size}");
        }
    }
}
