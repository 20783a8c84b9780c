//! `mainstay serve`, as its users run it.

use crate::child::{Process, Says};
use crate::stage;
use anyhow::{Result, ensure};
use mainstay_client::{Client, ClientOptions, Credential};
use std::path::PathBuf;
use tempfile::TempDir;

/// The owner key of every node.
pub const OWNER_KEY: &str = "the-owner-key-of-the-benchmarks-0123456789";
/// The key of the bridge of every node.
pub const BRIDGE_KEY: &str = "the-bridge-key-of-the-benchmarks-0123456789";

/// A server in a process of its own.
pub struct Node {
    /// The process.
    pub process: Process,
    /// Where it listens.
    pub port: u16,
    /// What it leaves on the disk.
    _folder: TempDir,
}

/// The binary that this build made.
pub fn binary() -> Result<PathBuf> {
    let binary = stage::target().join("mainstay");
    ensure!(binary.exists(), "{} is missing: build it with cargo build --release", binary.display());
    Ok(binary)
}

impl Node {
    /// Starts a server on a store, on one core where one is named, and waits until it listens.
    pub async fn start(store: &str, core: Option<usize>) -> Result<Self> {
        let folder = stage::folder()?;
        let mut process = Process::start(core, binary()?, |command| {
            command.args(["serve", "--listen", "127.0.0.1:0", "--log", "warn"]).current_dir(folder.path());
            command.env("MAINSTAY_STORE", store).env("MAINSTAY_DATA_DIR", folder.path());
            command.env("MAINSTAY_OWNER_KEY", OWNER_KEY).env("MAINSTAY_BRIDGE_KEY", BRIDGE_KEY);
            Says::Stderr
        })?;
        let port = loop {
            let line = process.line().await?;
            if let Some((_, port)) = line.split_once("address    http://127.0.0.1:") {
                break port.parse()?;
            }
        };
        Ok(Self { process, port, _folder: folder })
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A client of it, as the owner.
    pub fn client(&self) -> Result<Client> {
        let options = ClientOptions { credential: Some(Credential::new(OWNER_KEY)), ..ClientOptions::default() };
        Ok(Client::connect(&self.url(), options)?)
    }
}
