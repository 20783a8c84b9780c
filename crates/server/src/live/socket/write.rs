//! What is written to a client.

use super::frame::header;
use bytes::{Buf, Bytes};
use mainstay_hub::live::{Closed, Drain};
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// Frames of one vectored write.
const MAX_FRAMES: usize = 128;
/// About how many bytes are taken from a queue at a time.
const BATCH_BYTES: usize = 256 * 1_024;
/// How long one write may take. A client that takes nothing for so long is gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// Writes what is put into the outlet until that is closed and empty. Why it was closed; none where the client is gone.
pub(crate) async fn write_all(write: &mut (impl AsyncWrite + Unpin), drain: &mut Drain) -> Option<Closed> {
    loop {
        let frames = match drain.batch(MAX_FRAMES, BATCH_BYTES).await {
            Ok(frames) => frames,
            Err(closed) => return Some(closed),
        };
        reply(write, frames).await.ok()?;
    }
}

/// Writes pieces as one message, without copying them: they may be those of many clients.
///
/// # Errors
/// Where the client is gone, or takes nothing.
pub(crate) async fn message(
    write: &mut (impl AsyncWrite + Unpin),
    (pieces, is_text): (Vec<Bytes>, bool),
) -> io::Result<()> {
    let mut frames = Vec::with_capacity(pieces.len() + 1);
    frames.push(header(is_text, pieces.iter().map(Bytes::len).sum()));
    frames.extend(pieces);
    reply(write, frames).await
}

/// Writes whole frames.
///
/// # Errors
/// Where the client is gone, or takes nothing.
pub(crate) async fn reply(write: &mut (impl AsyncWrite + Unpin), frames: Vec<Bytes>) -> io::Result<()> {
    tokio::time::timeout(SEND_TIMEOUT, put(write, frames)).await?
}

/// Writes the last frame, and says that nothing follows.
pub(crate) async fn hang_up(write: &mut (impl AsyncWrite + Unpin), last: Bytes) -> io::Result<()> {
    write.write_all(&last).await?;
    write.shutdown().await
}

async fn put(write: &mut (impl AsyncWrite + Unpin), frames: Vec<Bytes>) -> io::Result<()> {
    let mut frames = VecDeque::from(frames);
    while !frames.is_empty() {
        let written = std::future::poll_fn(|context| {
            // Within a poll: kept across a wait, the slices would be the largest part of an idle connection.
            let mut slices = [IoSlice::new(&[]); MAX_FRAMES];
            let count = slices.len().min(frames.len());
            slices.iter_mut().zip(&frames).for_each(|(slice, frame)| *slice = IoSlice::new(frame));
            Pin::new(&mut *write).poll_write_vectored(context, &slices[..count])
        });
        let mut written = written.await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        while let Some(first) = frames.front_mut() {
            if written < first.len() {
                first.advance(written);
                break;
            }
            written -= first.len();
            frames.pop_front();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn many_pieces_are_one_message_however_little_is_written_at_a_time() {
        let pieces: Vec<Bytes> = (0..200).map(|n| Bytes::from(format!("{n};"))).collect();
        let whole: Vec<u8> = pieces.concat();
        let (mut read, mut write) = tokio::io::duplex(7);
        let reading = tokio::spawn(async move {
            let mut all = Vec::new();
            tokio::io::AsyncReadExt::read_to_end(&mut read, &mut all).await.map(|_| all)
        });
        message(&mut write, (pieces, true)).await.unwrap();
        drop(write);
        let all = reading.await.unwrap().unwrap();
        assert_eq!(all[..4], [0x81, 126, (whole.len() >> 8) as u8, whole.len() as u8]);
        assert_eq!(all[4..], whole);
    }
}
