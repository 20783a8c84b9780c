//! Clients on connections of their own, which read as little of an answer as finding its end takes.

use crate::rounds;
use anyhow::{Context, Result, bail};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

/// An answer that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(60);
/// Connections that are being made at one time.
const TOGETHER: usize = 50;
/// How each stream ends.
const DONE: &[u8] = b"[DONE]";
/// Why nothing comes any more.
const CLOSED: &str = "the connection was closed within an answer";

/// A request, as it is written, and where to.
#[derive(Clone)]
pub struct Request {
    /// The port, on this machine.
    pub port: u16,
    /// Head and body.
    pub bytes: Arc<[u8]>,
    /// Whether a stream is asked for.
    pub stream: bool,
}

/// How the clients behave.
#[derive(Clone, Copy)]
pub struct Crowd {
    /// How many there are, each with a connection.
    pub connections: usize,
    /// For how long they ask.
    pub span: Duration,
    /// The longest pause before each request; they are spread evenly between nothing and this.
    pub pause: Option<Duration>,
}

/// Asks, one request after the other on each connection. Answers how long each took, in milliseconds.
pub async fn ask(request: &Request, crowd: Crowd) -> Result<Vec<f64>> {
    let mut users = JoinSet::new();
    for user in 0..crowd.connections {
        users.spawn(one_after_the_other(request.clone(), crowd, user));
    }
    let mut taken = Vec::new();
    while let Some(user) = users.join_next().await {
        taken.extend(user??);
    }
    Ok(taken)
}

async fn one_after_the_other(request: Request, crowd: Crowd, user: usize) -> Result<Vec<f64>> {
    let mut socket = connect(request.port).await?;
    let (mut taken, mut answer) = (Vec::new(), Vec::new());
    let ends = Instant::now() + crowd.span;
    for number in 0.. {
        if let Some(longest) = crowd.pause {
            // 7 and 13 share nothing with 50, so that every pause occurs and no two users keep step.
            let step = u32::try_from((number * 13 + user * 7) % 50)?;
            tokio::time::sleep(longest * step / 50).await;
        }
        if Instant::now() >= ends {
            break;
        }
        let began = Instant::now();
        socket.write_all(&request.bytes).await?;
        timeout(PATIENCE, read(&mut socket, &mut answer)).await.context("no answer came")??;
        taken.push(rounds::millis(began.elapsed()));
        if request.stream && !answer.windows(DONE.len()).any(|bytes| bytes == DONE) {
            bail!("a stream ended before its end: {}", String::from_utf8_lossy(&answer));
        }
    }
    Ok(taken)
}

/// Opens this many streams and reads what comes, until it is dropped. A stream counts once its first piece is there.
pub async fn hold(request: &Request, count: usize) -> Result<JoinSet<Result<()>>> {
    let mut open = JoinSet::new();
    for first in (0..count).step_by(TOGETHER) {
        let mut opening = JoinSet::new();
        for _ in first..count.min(first + TOGETHER) {
            let request = request.clone();
            opening.spawn(async move { timeout(PATIENCE, first_piece(&request)).await.context("no piece came")? });
        }
        while let Some(opened) = opening.join_next().await {
            let mut socket = opened??;
            open.spawn(async move {
                let mut buffer = [0; 4_096];
                while socket.read(&mut buffer).await? > 0 {}
                bail!("a stream was closed")
            });
        }
    }
    Ok(open)
}

async fn first_piece(request: &Request) -> Result<TcpStream> {
    let mut socket = connect(request.port).await?;
    socket.write_all(&request.bytes).await?;
    let mut answer = Vec::new();
    while !answer.windows(5).any(|bytes| bytes == b"data:") {
        more(&mut socket, &mut answer).await?;
    }
    Ok(socket)
}

async fn connect(port: u16) -> Result<TcpStream> {
    let socket = TcpStream::connect(("127.0.0.1", port)).await?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

async fn more(socket: &mut TcpStream, answer: &mut Vec<u8>) -> Result<()> {
    if socket.read_buf(answer).await? == 0 {
        bail!("{CLOSED}: {}", String::from_utf8_lossy(answer));
    }
    Ok(())
}

/// Reads one answer, which must be a success.
async fn read(socket: &mut TcpStream, answer: &mut Vec<u8>) -> Result<()> {
    answer.clear();
    while !is_whole(answer)? {
        more(socket, answer).await?;
    }
    Ok(())
}

/// Whether an answer is at its end.
fn is_whole(answer: &[u8]) -> Result<bool> {
    let Some(head) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return Ok(false) };
    let text = String::from_utf8_lossy(&answer[..head]);
    if !text.starts_with("HTTP/1.1 200") {
        bail!("{}", String::from_utf8_lossy(answer));
    }
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>())
    });
    // No event has this in it, and no other chunk is empty.
    let ended = || answer.ends_with(b"\r\n0\r\n\r\n");
    Ok(length.transpose()?.map_or_else(ended, |length| answer.len() >= head + 4 + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_answer_is_seen_and_not_before() {
        let sized = b"HTTP/1.1 200 OK\r\ncontent-LENGTH: 4\r\n\r\n\r\n\r\n".as_slice();
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabc0\r\n0\r\n\r\n".as_slice();
        for whole in [sized, chunked] {
            for end in 0..whole.len() {
                assert!(!is_whole(&whole[..end]).unwrap(), "{end}");
            }
            assert!(is_whole(whole).unwrap());
        }
        assert!(is_whole(b"HTTP/1.1 500 No\r\n\r\n").is_err());
    }
}
