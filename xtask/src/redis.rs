//! The `redis-server` that the tests start: found, or installed by the package manager of the machine.

use crate::command::{exists, run, say};
use anyhow::{Result, bail};
use std::process::Command;

/// Package managers, and how each is asked.
const INSTALLERS: [(&str, &[&[&str]]); 3] = [
    ("apt-get", &[&["apt-get", "update", "-qq"], &["apt-get", "install", "-y", "-qq", "redis-server"]]),
    ("dnf", &[&["dnf", "install", "-y", "redis"]]),
    ("brew", &[&["brew", "install", "redis"]]),
];

/// The server to test on: `MAINSTAY_TEST_REDIS_SERVER`, one that is installed, or one that is installed now.
pub fn server() -> Result<String> {
    if let Ok(server) = std::env::var("MAINSTAY_TEST_REDIS_SERVER") {
        if exists(&server) {
            return Ok(server);
        }
        bail!("MAINSTAY_TEST_REDIS_SERVER names {server:?}, which cannot be started");
    }
    if let Some(server) = installed() {
        return Ok(server);
    }
    for (manager, commands) in INSTALLERS {
        if !exists(manager) {
            continue;
        }
        say(&format!("redis-server is not installed; installing it with {manager}"));
        for words in commands {
            // The package may start a server of its own; the tests start theirs on other ports.
            run(Command::new(words[0]).args(&words[1..]).env("DEBIAN_FRONTEND", "noninteractive"))?;
        }
        if let Some(server) = installed() {
            return Ok(server);
        }
    }
    bail!(
        "the tests need a real redis-server (6.2 or later) or valkey-server: install it, or name it in \
         MAINSTAY_TEST_REDIS_SERVER"
    )
}

fn installed() -> Option<String> {
    ["redis-server", "valkey-server"].into_iter().find(|name| exists(name)).map(String::from)
}
