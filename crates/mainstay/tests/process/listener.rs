//! A client that hears what happens in a room.

use crate::bed::{OWNER_KEY, SOON, eventually};
use crate::node::Node;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// The room that it listens to, in the stream `chat`.
pub const ROOM: &str = "request:42";

/// A client that follows the room over server-sent events, shows in it, and keeps the ids of what it is told.
pub struct Listener {
    told: Arc<Mutex<Vec<String>>>,
    reading: JoinHandle<()>,
}

impl Listener {
    /// Begins as the owner, and waits until it is told that it has.
    pub async fn to_room(node: &Node) -> Self {
        Self::with(node, OWNER_KEY).await
    }

    /// The same with another credential.
    pub async fn with(node: &Node, credential: &str) -> Self {
        let mut socket = TcpStream::connect(("127.0.0.1", node.port)).await.unwrap();
        let text = format!(
            "GET /v1/events/chat/live?room={ROOM}&present=true HTTP/1.1\r\nhost: 127.0.0.1\r\n\
             authorization: Bearer {credential}\r\naccept: text/event-stream\r\n\r\n"
        );
        socket.write_all(text.as_bytes()).await.unwrap();
        let mut lines = BufReader::new(socket).lines();
        let ready = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if line == "event: ready" {
                    return;
                }
            }
            panic!("the stream ended before it began");
        };
        tokio::time::timeout(SOON, ready).await.expect("the stream begins");
        let told = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&told);
        let reading = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let event: Option<Value> = line.strip_prefix("data: ").and_then(|data| serde_json::from_str(data).ok());
                if let Some(id) = event.as_ref().and_then(|event| event["id"].as_str()) {
                    keep.lock().unwrap().push(id.to_owned());
                }
            }
        });
        Self { told, reading }
    }

    /// What it was told, once the last of it has come.
    pub async fn until(&self, last: &str) -> Vec<String> {
        eventually(last, || match self.told.lock().unwrap().clone() {
            told if told.iter().any(|id| id == last) => Ok(told),
            told => Err(format!("{told:?}")),
        })
        .await
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.reading.abort();
    }
}
