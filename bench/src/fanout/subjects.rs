//! The servers that are compared.

use super::PAYLOAD_BYTES;
use super::driver::{Entrance, MARK};
use crate::child::{Process, Says};
use crate::cores::{OTHER_CORE, SERVER_CORE};
use crate::node::{Node, OWNER_KEY};
use crate::stage;
use anyhow::{Context, Result};
use mainstay_api::RawJson;
use mainstay_api::events::{EventMetadata, EventType, PublishEvent, PublishEvents, RoomId, StreamName};
use mainstay_client::Client;
use std::path::PathBuf;
use std::process::Command;

/// Most events of one publication.
const BATCH: usize = 100;
const STREAM: &str = "chat";
const ROOM: &str = "bench";
/// The head of a frame of more than 125 bytes.
const FRAME_HEAD_BYTES: usize = 4;
/// What a payload has around its text: `{"text":""}`.
const TEXT_AROUND_BYTES: usize = 11;

/// A server, and who publishes to it.
pub struct Subject {
    /// The server.
    pub server: Server,
    /// Where it listens.
    pub port: u16,
    /// How a client comes into the room.
    pub entrance: Entrance,
    publisher: Publisher,
}

/// A server in a process of its own.
pub enum Server {
    /// One of ours.
    Node(Node),
    /// Another one.
    Other(Process),
}

enum Publisher {
    /// The server writes what it is told on its stdin.
    Itself,
    /// Another process does.
    Process(Box<Process>),
    /// A client over HTTP does.
    Client(Client),
}

impl Subject {
    /// The minimal server, this program once more, which writes frames of a length.
    pub async fn minimal(frame_bytes: usize) -> Result<Self> {
        let payload = padded(frame_bytes.saturating_sub(FRAME_HEAD_BYTES));
        let mut server = Process::start(Some(SERVER_CORE), std::env::current_exe()?, |command| {
            command.args(["--minimal-fanout", &payload]);
            Says::Stdout
        })?;
        let port = server.line().await?.parse()?;
        let entrance = Entrance { path: "/".into(), headers: String::new(), greeting: false, texts: Vec::new() };
        Ok(Self { server: Server::Other(server), port, entrance, publisher: Publisher::Itself })
    }

    /// `mainstay serve` on a Redis.
    pub async fn mainstay(redis: &str) -> Result<Self> {
        let node = Node::start(redis, Some(SERVER_CORE)).await?;
        let client = node.client()?;
        let entrance = Entrance {
            path: "/v1/events/ws".into(),
            headers: format!("Authorization: Bearer {OWNER_KEY}\r\n"),
            greeting: true,
            texts: vec![format!(r#"{{"op":"subscribe","stream":"{STREAM}","room":"{ROOM}"}}"#)],
        };
        Ok(Self { port: node.port, server: Server::Node(node), entrance, publisher: Publisher::Client(client) })
    }

    /// Socket.IO with its adapter for Redis Streams.
    pub async fn socket_io(redis: &str) -> Result<Self> {
        let folder = tokio::task::spawn_blocking(installed).await??;
        let payload = padded(PAYLOAD_BYTES);
        let start = |core, role: &str| {
            Process::start(Some(core), "node", |command| {
                command.arg("server.mjs").args([role, redis, &payload]).current_dir(&folder);
                Says::Stdout
            })
        };
        let mut server = start(SERVER_CORE, "serve")?;
        let port = server.line().await?.parse()?;
        let mut publisher = start(OTHER_CORE, "publish")?;
        publisher.line().await?;
        let path = "/socket.io/?EIO=4&transport=websocket".into();
        // `40` opens the namespace, which is when the server joins the room (socket.io-protocol 5).
        let entrance = Entrance { path, headers: String::new(), greeting: true, texts: vec!["40".into()] };
        Ok(Self { server: Server::Other(server), port, entrance, publisher: Publisher::Process(Box::new(publisher)) })
    }

    /// Publishes this many events.
    pub async fn publish(&mut self, events: usize) -> Result<()> {
        match &mut self.publisher {
            Publisher::Itself => self.server.process().ask(&events.to_string()).await.map(|_| ()),
            Publisher::Process(process) => process.ask(&events.to_string()).await.map(|_| ()),
            Publisher::Client(client) => publish(client, events).await,
        }
    }

    /// Ends it, and who publishes.
    pub async fn stop(self) -> Result<()> {
        if let Publisher::Process(publisher) = self.publisher {
            publisher.stop().await?;
        }
        match self.server {
            Server::Node(node) => node.process.stop().await,
            Server::Other(process) => process.stop().await,
        }
    }
}

impl Server {
    /// Its process.
    pub fn process(&mut self) -> &mut Process {
        match self {
            Self::Node(node) => &mut node.process,
            Self::Other(process) => process,
        }
    }
}

/// Publishes to the room, in batches as large as a call takes.
async fn publish(client: &Client, events: usize) -> Result<()> {
    let (stream, room) = (StreamName::parse(STREAM)?, RoomId::parse(ROOM)?);
    let text = padded(PAYLOAD_BYTES.saturating_sub(TEXT_AROUND_BYTES));
    let event = PublishEvent {
        id: None,
        kind: EventType::parse("bench")?,
        room,
        timestamp: None,
        payload: RawJson::of(&serde_json::json!({ "text": text }))?,
        metadata: EventMetadata::default(),
    };
    for first in (0..events).step_by(BATCH) {
        let events = vec![event.clone(); BATCH.min(events - first)];
        client.events().publish(&stream, &PublishEvents { events }, None).await?;
    }
    Ok(())
}

/// A text of this length that holds the mark once.
fn padded(length: usize) -> String {
    format!("{}{}", char::from(MARK), "x".repeat(length.saturating_sub(1)))
}

/// The folder with the peer and what it needs, below the folder of this build.
fn installed() -> Result<PathBuf> {
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("peers/socketio");
    let folder = stage::target().join("bench/socketio");
    std::fs::create_dir_all(&folder)?;
    for file in ["package.json", "server.mjs"] {
        std::fs::copy(source.join(file), folder.join(file)).with_context(|| format!("{file} cannot be copied"))?;
    }
    stage::run(
        Command::new("npm").args(["install", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(&folder),
    )?;
    Ok(folder)
}
