//! Programs of others that the tests need: found, or installed by the package manager of the machine.

use crate::command::{exists, run, say};
use anyhow::{Result, bail};
use std::process::Command;

/// A program of others.
pub struct Program {
    /// The variable that names another one.
    variable: &'static str,
    /// What it may be called.
    names: &'static [&'static str],
    /// Package managers, and how each is asked for it.
    installers: &'static [(&'static str, &'static [&'static [&'static str]])],
    /// What to do where none of this helps.
    advice: &'static str,
}

/// The server that the tests start.
pub const REDIS: Program = Program {
    variable: "MAINSTAY_TEST_REDIS_SERVER",
    names: &["redis-server", "valkey-server"],
    // The package may start a server of its own; the tests start theirs on other ports.
    installers: &[
        ("apt-get", &[&["apt-get", "update", "-qq"], &["apt-get", "install", "-y", "-qq", "redis-server"]]),
        ("dnf", &[&["dnf", "install", "-y", "redis"]]),
        ("brew", &[&["brew", "install", "redis"]]),
    ],
    advice: "the tests need a real redis-server (6.2 or later) or valkey-server: install it",
};

/// The browser that the tests open, without a screen.
pub const BROWSER: Program = Program {
    variable: "MAINSTAY_TEST_BROWSER",
    names: &["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
    installers: &[(
        "apt-get",
        &[
            &["apt-get", "update", "-qq"],
            &["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium-headless-shell"],
        ],
    )],
    advice: "the tests need a real browser: install Chromium or Chrome",
};

impl Program {
    /// The one that its variable names, one that is installed, or one that is installed now.
    pub fn find(&self) -> Result<String> {
        let Self { variable, names, installers, advice } = self;
        if let Ok(named) = std::env::var(variable) {
            if exists(&named) {
                return Ok(named);
            }
            bail!("{variable} names {named:?}, which cannot be started");
        }
        if let Some(found) = self.installed() {
            return Ok(found);
        }
        for (manager, commands) in installers.iter().filter(|(manager, _)| exists(manager)) {
            say(&format!("{} is not installed; installing it with {manager}", names[0]));
            for words in *commands {
                run(Command::new(words[0]).args(&words[1..]).env("DEBIAN_FRONTEND", "noninteractive"))?;
            }
            if let Some(found) = self.installed() {
                return Ok(found);
            }
        }
        bail!("{advice}, or name it in {variable}")
    }

    /// The path of an installed one: the tests take a file, not a name.
    fn installed(&self) -> Option<String> {
        let search_path = std::env::var_os("PATH")?;
        let found = self.names.iter().filter(|name| exists(name)).find_map(|name| {
            std::env::split_paths(&search_path).map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
        });
        found.map(|path| path.display().to_string())
    }
}
