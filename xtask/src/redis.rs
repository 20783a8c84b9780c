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

/// The path of an installed server: the fixtures take a file, not a name.
fn installed() -> Option<String> {
    let search_path = std::env::var_os("PATH")?;
    let found = ["redis-server", "valkey-server"].into_iter().filter(|name| exists(name)).find_map(|name| {
        std::env::split_paths(&search_path).map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
    });
    found.map(|path| path.display().to_string())
}
