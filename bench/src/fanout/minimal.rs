//! The least that a server can do: one task for each connection, which writes the same frame, made once, as often as
//! it is told. It reads the head and nothing else.

use crate::child::say;
use anyhow::Result;
use std::io::IoSlice;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;

/// Frames of one write.
const TOGETHER: usize = 64;
/// Counts that may wait for a connection.
const QUEUE: usize = 1_024;

/// Serves until stdin ends. Each line is a number of frames to write to every connection.
pub async fn serve(payload: &str) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    say(&listener.local_addr()?.port().to_string())?;
    let (sender, _) = broadcast::channel::<usize>(QUEUE);
    let frame = frame(payload);
    let counts = sender.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(connection(socket, counts.subscribe(), frame.clone()));
        }
    });
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        sender.send(line.trim().parse()?).ok();
        say("sent")?;
    }
    Ok(())
}

/// An unmasked text frame of 126 bytes or more.
fn frame(payload: &str) -> Vec<u8> {
    let mut frame = vec![0x81, 126];
    frame.extend(u16::try_from(payload.len()).unwrap_or(u16::MAX).to_be_bytes());
    frame.extend(payload.as_bytes());
    frame
}

async fn connection(mut socket: TcpStream, mut counts: broadcast::Receiver<usize>, frame: Vec<u8>) -> Result<()> {
    socket.set_nodelay(true)?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await?);
    }
    socket.write_all(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n").await?;
    while let Ok(mut frames) = counts.recv().await {
        while frames > 0 {
            let together = frames.min(TOGETHER);
            let slices = [IoSlice::new(&frame); TOGETHER];
            let mut written = socket.write_vectored(&slices[..together]).await?;
            let cut = written % frame.len();
            if cut > 0 {
                socket.write_all(&frame[cut..]).await?;
                written += frame.len() - cut;
            }
            frames -= written / frame.len();
        }
    }
    Ok(())
}
