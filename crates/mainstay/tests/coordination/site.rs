//! A sandbox with a store of a chosen kind, and the scripts beside it.

use crate::common::Sandbox;
pub use crate::common::{Ran, wait_for};
use mainstay_testkit::fixtures::RedisServer;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A sandbox, its store, and a real server where the store needs one.
pub struct Site {
    pub sandbox: Sandbox,
    pub redis: Option<RedisServer>,
}

impl Ran {
    /// The standard output with ids and times hidden.
    pub fn steady(&self) -> String {
        steady(&self.stdout)
    }
}

/// A real server that keeps nothing on disk.
pub fn redis() -> RedisServer {
    wait_for(RedisServer::start()).unwrap()
}

impl Site {
    /// On the embedded store.
    pub fn sqlite() -> Self {
        Self::new(None)
    }

    /// On a real Redis.
    pub fn redis() -> Self {
        Self::new(Some(redis()))
    }

    /// One of each kind.
    pub fn each() -> [Self; 2] {
        [Self::sqlite(), Self::redis()]
    }

    fn new(redis: Option<RedisServer>) -> Self {
        let sandbox = Sandbox::new();
        let scripts = sandbox.path().join("scripts/coordination");
        std::fs::create_dir_all(&scripts).unwrap();
        let compat = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../compat");
        for name in ["publish-message.sh", "check-messages.sh", "ack-message.sh"] {
            std::fs::copy(compat.join(name), scripts.join(name)).unwrap();
        }
        Self { sandbox, redis }
    }

    /// The URL of the store.
    pub fn store(&self) -> String {
        match &self.redis {
            Some(redis) => redis.url(),
            None => format!("sqlite:{}", self.path("store.db").display()),
        }
    }

    /// A path in the sandbox.
    pub fn path(&self, name: &str) -> PathBuf {
        self.sandbox.path().join(name)
    }

    /// The binary with arguments, on the store.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.sandbox.command("");
        command.args(arguments).env("MAINSTAY_STORE", self.store());
        command
    }

    /// Runs the binary with arguments, on the store.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// What the binary prints with `--json`, whatever its exit status.
    pub fn json(&self, arguments: &[&str]) -> serde_json::Value {
        self.run(&[arguments, &["--json"]].concat()).json()
    }

    /// A script, called as the original was, for an instance; an empty name is nobody.
    pub fn script_command(&self, me: &str, name: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("sh");
        command.arg(format!("./scripts/coordination/{name}")).args(arguments);
        command.current_dir(self.sandbox.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.sandbox.path()).env("MAINSTAY_DATA_DIR", self.path("data"));
        command.env("MAINSTAY_BIN", env!("CARGO_BIN_EXE_mainstay")).env("MAINSTAY_STORE", self.store());
        command.stdin(std::process::Stdio::null());
        if !me.is_empty() {
            command.env("CLAUDE_INSTANCE_ID", me);
        }
        command
    }

    /// Runs a script.
    pub fn script(&self, me: &str, name: &str, arguments: &[&str]) -> Ran {
        Ran::of(self.script_command(me, name, arguments).output().unwrap())
    }

    /// Runs a script with the rules and the output of the first stage.
    pub fn first(&self, me: &str, name: &str, arguments: &[&str]) -> Ran {
        let mut command = self.script_command(me, name, arguments);
        Ran::of(command.env("MAINSTAY_COMPAT_STAGE", "a").output().unwrap())
    }

    /// Publishes with the script and returns the id.
    pub fn publish(&self, me: &str, arguments: &[&str]) -> String {
        let ran = self.script(me, "publish-message.sh", arguments);
        assert_eq!(ran.status, 0, "{ran:?}");
        let id = ran.stdout.lines().find_map(|line| line.strip_prefix("  ID: "));
        id.unwrap_or_else(|| panic!("no id in {ran:?}")).to_owned()
    }
}

/// Text with ids and times hidden.
pub fn steady(text: &str) -> String {
    let shapes = [("msg-########", "<id>"), ("####-##-##T##:##:##Z", "<time>"), ("####-##-##T##-##-##", "<file-time>")];
    let mut steady = String::new();
    let mut rest = text;
    'next: while let Some(first) = rest.chars().next() {
        for (shape, name) in shapes {
            if fits(rest, shape) {
                steady.push_str(name);
                rest = &rest[shape.len()..];
                continue 'next;
            }
        }
        steady.push(first);
        rest = &rest[first.len_utf8()..];
    }
    steady
}

/// Whether a text begins with a shape, where `#` stands for a hexadecimal digit.
fn fits(text: &str, shape: &str) -> bool {
    text.len() >= shape.len()
        && text.bytes().zip(shape.bytes()).all(|(byte, wanted)| match wanted {
            b'#' => byte.is_ascii_hexdigit(),
            _ => byte == wanted,
        })
}
