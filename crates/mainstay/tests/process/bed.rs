//! A store of its own for each test, the commands on it, and what they leave behind.

use crate::common::{Running, Sandbox};
use crate::node::Node;
use mainstay_testkit::fixtures::{RedisServer, RedisServerOptions};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The owner key of every server: the tests call them without looking for the file.
pub const OWNER_KEY: &str = "the-owner-key-of-the-tests-0123456789";

/// Longest wait for something that is to happen. Far above what it takes on a busy machine.
pub const SOON: Duration = Duration::from_secs(40);

/// A folder, and a store that commands and servers use.
pub struct Bed {
    pub sandbox: Sandbox,
    pub store: String,
    pub redis: Option<RedisServer>,
    settings: Vec<(&'static str, &'static str)>,
}

impl Bed {
    /// A file in the folder.
    pub fn sqlite() -> Self {
        let sandbox = Sandbox::new();
        let store = format!("sqlite:{}", sandbox.path().join("mainstay.db").display());
        Self { sandbox, store, redis: None, settings: Vec::new() }
    }

    /// A server of its own, which writes its file once a second.
    pub async fn redis() -> Self {
        let redis = RedisServerOptions::new().aof().start().await.unwrap();
        Self { redis: Some(redis), ..Self::elsewhere("") }.on_its_redis()
    }

    /// A store that the test looks after.
    pub fn elsewhere(store: impl Into<String>) -> Self {
        Self { sandbox: Sandbox::new(), store: store.into(), redis: None, settings: Vec::new() }
    }

    /// The same bed, with another setting for every command and server.
    pub fn with(mut self, variable: &'static str, value: &'static str) -> Self {
        self.settings.push((variable, value));
        self
    }

    fn on_its_redis(mut self) -> Self {
        self.store = self.server().url();
        self
    }

    /// The Redis of this bed.
    pub fn server(&self) -> &RedisServer {
        self.redis.as_ref().expect("a bed on Redis")
    }

    /// A command on the store.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.sandbox.command("");
        command.args(arguments).env("MAINSTAY_STORE", &self.store).env("MAINSTAY_OWNER_KEY", OWNER_KEY);
        // A server that hangs must cost a test no more than this.
        command.env("MAINSTAY_REDIS_RESPONSE_TIMEOUT_MS", "1000").env("MAINSTAY_LOG", "warn");
        command.envs(self.settings.iter().copied());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The document that a command prints when it succeeds.
    pub fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// A command that goes on beside the test; what it prints is in a file.
    pub fn start(&self, name: &str, mut command: Command) -> Follower {
        let path = self.sandbox.path().join(format!("{name}.out"));
        let errors = self.sandbox.path().join(format!("{name}.err"));
        command.stdout(File::create(&path).unwrap()).stderr(File::create(&errors).unwrap()).stdin(Stdio::null());
        Follower { running: Running::from(command.spawn().unwrap()), path, errors }
    }

    /// A whole session of `mainstay mcp`: sends each document, one after the answer to the other, and takes every
    /// answer to a request.
    pub fn mcp(&self, flags: &[String], documents: &[serde_json::Value]) -> Vec<serde_json::Value> {
        let mut command = self.command(&["mcp"]);
        command.args(flags).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut running = Running::from(command.spawn().unwrap());
        let mut stdin = running.child().stdin.take().unwrap();
        let mut lines = BufReader::new(running.child().stdout.take().unwrap()).lines();
        let mut answers = Vec::new();
        for document in documents {
            writeln!(stdin, "{document}").unwrap();
            if document.get("id").is_some() {
                let line = lines.next().expect("an answer to every request").unwrap();
                answers.push(serde_json::from_str(&line).unwrap_or_else(|broken| panic!("{broken}: {line}")));
            }
        }
        answers
    }

    /// Keys for pages in a browser that hear and say events.
    pub fn page_keys(&self) -> [String; 2] {
        ["ada", "bob"].map(|name| {
            let scopes = ["--scope", "events:read", "--scope", "events:write"];
            let made = self.run(&[&["key", "create", name], &scopes[..]].concat());
            String::from_utf8(made.stdout).unwrap().trim().to_owned()
        })
    }

    /// A server on this store.
    pub async fn serve(&self, name: &str) -> Node {
        Node::start(self, name, 0).await
    }
}

/// A process that prints to a file.
pub struct Follower {
    pub running: Running,
    path: PathBuf,
    errors: PathBuf,
}

impl Follower {
    /// The documents that it has printed, one a line; a line that is not finished does not count.
    pub fn documents(&self) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(&self.path).unwrap();
        text.split_inclusive('\n')
            .filter(|line| line.ends_with('\n'))
            .map(|line| serde_json::from_str(line).unwrap_or_else(|broken| panic!("{broken}: {line}")))
            .collect()
    }

    /// The lines that it has printed.
    pub fn lines(&self) -> Vec<String> {
        std::fs::read_to_string(&self.path).unwrap().lines().map(str::to_owned).collect()
    }

    /// The subjects of the messages that it has printed.
    pub fn subjects(&self) -> Vec<String> {
        self.documents().iter().map(|message| message["subject"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// What it has printed on stderr.
    pub fn errors(&self) -> String {
        std::fs::read_to_string(&self.errors).unwrap()
    }

    /// Waits until it has printed a line.
    pub async fn said(&self, line: &str) {
        eventually(line, || match self.lines().iter().any(|said| said == line) {
            true => Ok(()),
            false => Err(self.errors()),
        })
        .await;
    }

    /// Waits for the end of the process, and takes its status and what it printed.
    pub async fn finish(mut self) -> (Option<i32>, String, String) {
        let status = eventually("the process to end", || {
            let status = self.running.child().try_wait().unwrap();
            status.ok_or_else(|| std::fs::read_to_string(&self.errors).unwrap())
        })
        .await;
        (status.code(), std::fs::read_to_string(&self.path).unwrap(), self.errors())
    }
}

/// Looks until there is a result; panics with the last reason why there was none.
pub async fn eventually<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let started = Instant::now();
    loop {
        match look() {
            Ok(seen) => return seen,
            Err(last) => assert!(started.elapsed() < SOON, "waiting for {what}: {last}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
