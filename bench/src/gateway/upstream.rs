//! A provider that costs next to nothing: it answers chat completions of OpenAI with texts made beforehand, whole or
//! in pieces, and counts them.

use crate::child::say;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// The model that answers at once.
pub const MODEL: &str = "gpt-4o-mini";
/// The model that thinks before each piece of a stream.
pub const SLOW_MODEL: &str = "gpt-4o-slow";
/// How long it thinks.
const THINKS: Duration = Duration::from_millis(500);
/// Pieces of a stream, and of one that is slow.
const PIECES: usize = 32;
const SLOW_PIECES: usize = 240;
/// Words of a whole answer: as many as all pieces of a stream have.
const WORDS: &str = "the open questions of the interface are ";
/// Longest head of a request.
const MAX_HEAD_BYTES: usize = 16 * 1_024;

/// What is answered.
struct Texts {
    whole: Vec<u8>,
    stream_head: Vec<u8>,
    piece: Vec<u8>,
    stream_end: Vec<u8>,
}

/// What a request says.
#[derive(Deserialize)]
struct Asked {
    model: String,
    #[serde(default)]
    stream: bool,
}

/// Serves until stdin ends. To each line it says how many requests there were so far.
pub async fn serve() -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    say(&listener.local_addr()?.port().to_string())?;
    let (texts, seen) = (Arc::new(Texts::new()), Arc::new(AtomicU64::new(0)));
    let counted = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(connection(socket, Arc::clone(&texts), Arc::clone(&counted)));
        }
    });
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while lines.next_line().await?.is_some() {
        say(&seen.load(Ordering::Relaxed).to_string())?;
    }
    Ok(())
}

impl Texts {
    fn new() -> Self {
        let usage = json!({"prompt_tokens": 240, "completion_tokens": PIECES, "total_tokens": 240 + PIECES});
        let whole = json!({
            "id": "chatcmpl-bench", "object": "chat.completion", "created": 1_764_000_000, "model": MODEL,
            "choices": [{
                "index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": WORDS.repeat(PIECES / 2)},
            }],
            "usage": usage,
        });
        let event = |choices: serde_json::Value, usage: serde_json::Value| {
            let event = json!({
                "id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1_764_000_000, "model": MODEL,
                "choices": choices, "usage": usage,
            });
            format!("data: {event}\n\n")
        };
        let delta = json!([{"index": 0, "delta": {"content": &WORDS[..WORDS.len() / 2]}, "finish_reason": null}]);
        let stop = json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]);
        let body = whole.to_string();
        let end = [event(stop, serde_json::Value::Null), event(json!([]), usage), "data: [DONE]\n\n".into()];
        let mut stream_end: Vec<u8> = end.iter().flat_map(|text| chunk(text)).collect();
        stream_end.extend(b"0\r\n\r\n");
        Self {
            whole: format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
            .into_bytes(),
            stream_head: b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
                .to_vec(),
            piece: chunk(&event(delta, serde_json::Value::Null)),
            stream_end,
        }
    }
}

/// A chunk of a body whose length is not known (RFC 9112, 7.1).
fn chunk(text: &str) -> Vec<u8> {
    format!("{:x}\r\n{text}\r\n", text.len()).into_bytes()
}

async fn connection(socket: TcpStream, texts: Arc<Texts>, seen: Arc<AtomicU64>) -> Result<()> {
    socket.set_nodelay(true)?;
    let mut socket = BufReader::new(socket);
    while let Some(asked) = request(&mut socket).await? {
        seen.fetch_add(1, Ordering::Relaxed);
        let slow = asked.model == SLOW_MODEL;
        if !asked.stream {
            socket.write_all(&texts.whole).await?;
            continue;
        }
        socket.write_all(&texts.stream_head).await?;
        for _ in 0..if slow { SLOW_PIECES } else { PIECES } {
            socket.write_all(&texts.piece).await?;
            if slow {
                tokio::time::sleep(THINKS).await;
            }
        }
        socket.write_all(&texts.stream_end).await?;
    }
    Ok(())
}

/// The next request on a connection; nothing where it was closed.
async fn request(socket: &mut BufReader<TcpStream>) -> Result<Option<Asked>> {
    let (mut head, mut length, mut chunked) = (0, 0, false);
    loop {
        let mut line = String::new();
        let read = socket.read_line(&mut line).await?;
        if read == 0 {
            return Ok(None);
        }
        head += read;
        ensure!(head < MAX_HEAD_BYTES, "the head of a request is too long");
        let line = line.trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
        chunked |= line == "transfer-encoding: chunked";
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    if chunked {
        body = read_chunks(socket).await?;
    } else {
        socket.read_exact(&mut body).await?;
    }
    // What is no call of the model is a peer that looks whether somebody is there.
    let nothing = Asked { model: String::new(), stream: false };
    Ok(Some(if body.is_empty() { nothing } else { serde_json::from_slice(&body).context("no chat completion")? }))
}

async fn read_chunks(socket: &mut BufReader<TcpStream>) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        socket.read_line(&mut line).await?;
        let length = usize::from_str_radix(line.trim(), 16)?;
        let start = body.len();
        body.resize(start + length + 2, 0);
        socket.read_exact(&mut body[start..]).await?;
        body.truncate(start + length);
        if length == 0 {
            return Ok(body);
        }
    }
}
