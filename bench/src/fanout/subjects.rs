//! The servers that are compared.

use super::driver::{Entrance, MARK};
use super::process::Process;
use super::{OTHER_CORE, PAYLOAD_BYTES, SERVER_CORE};
use crate::stage;
use anyhow::{Context, Result};
use mainstay_api::RawJson;
use mainstay_api::events::{EventType, PublishEvent, PublishEvents, RoomId};
use std::path::PathBuf;
use std::process::Command;

/// Most events of one publication.
const BATCH: usize = 100;
const KEY: &str = "bench-key";

/// A server, and who publishes to it.
pub struct Subject {
    /// The server.
    pub server: Process,
    /// Where it listens.
    pub port: u16,
    /// How a client comes into the room.
    pub entrance: Entrance,
    publisher: Publisher,
}

enum Publisher {
    /// The server writes what it is told on its stdin.
    Itself,
    /// Another process does.
    Process(Process),
    /// A client over HTTP.
    Client(mainstay_client::Client),
}

impl Subject {
    /// The minimal server: this program, once more.
    pub async fn minimal() -> Result<Self> {
        // A frame of ours has the envelope around the payload; this one is as long.
        let payload = padded(PAYLOAD_BYTES + 50);
        let mut server = Process::start(SERVER_CORE, std::env::current_exe()?, |command| {
            command.args(["--minimal-fanout", &payload]);
        })?;
        let port = server.line().await?.parse()?;
        let entrance = Entrance { path: "/".into(), headers: String::new(), greeting: false, texts: Vec::new() };
        Ok(Self { server, port, entrance, publisher: Publisher::Itself })
    }

    /// Socket.IO with its adapter for Redis Streams.
    pub async fn socket_io(redis: &str) -> Result<Self> {
        let folder = tokio::task::spawn_blocking(installed).await??;
        let payload = padded(PAYLOAD_BYTES);
        let start = |core, role: &str| {
            Process::start(core, "node", |command| {
                command.arg("server.mjs").args([role, redis, &payload]).current_dir(&folder);
            })
        };
        let mut server = start(SERVER_CORE, "serve")?;
        let port = server.line().await?.parse()?;
        let mut publisher = start(OTHER_CORE, "publish")?;
        publisher.line().await?;
        let path = "/socket.io/?EIO=4&transport=websocket".into();
        // `40` opens the namespace, which is when the server joins the room (socket.io-protocol 5).
        let entrance = Entrance { path, headers: String::new(), greeting: true, texts: vec!["40".into()] };
        Ok(Self { server, port, entrance, publisher: Publisher::Process(publisher) })
    }

    /// Publishes this many events.
    pub async fn publish(&mut self, events: usize) -> Result<()> {
        match &mut self.publisher {
            Publisher::Itself => self.server.ask(&events.to_string()).await.map(|_| ()),
            Publisher::Process(process) => process.ask(&events.to_string()).await.map(|_| ()),
            Publisher::Client(client) => publish(client, events).await,
        }
    }

    /// Ends it, and who publishes.
    pub async fn stop(self) -> Result<()> {
        if let Publisher::Process(publisher) = self.publisher {
            publisher.stop().await?;
        }
        self.server.stop().await
    }
}

/// A JSON text of this length that holds the mark once.
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
