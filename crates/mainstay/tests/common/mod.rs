//! Runs the real binary, each test in a folder of its own.
#![expect(dead_code, reason = "no test file uses all of it")]

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// A folder with a store of its own, and nothing of the machine's settings.
pub struct Sandbox {
    dir: tempfile::TempDir,
}

impl Sandbox {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The binary with arguments, which are separated by blanks; `_` within one stands for a blank.
    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mainstay"));
        command.args(line.split_whitespace().map(|word| word.replace('_', " ")));
        command.current_dir(self.path()).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.path()).env("USER", "somebody").env("MAINSTAY_DATA_DIR", self.path().join("data"));
        command.stdin(Stdio::null());
        command
    }

    pub fn run(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    /// What a command prints on stdout when it succeeds.
    pub fn stdout(&self, line: &str) -> String {
        let output = self.run(line);
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a command prints with --json when it succeeds.
    pub fn json(&self, line: &str) -> serde_json::Value {
        serde_json::from_str(&self.stdout(&format!("{line} --json"))).unwrap()
    }

    pub fn start(&self, line: &str) -> Running {
        let mut command = self.command(line);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Running::from(command.spawn().unwrap())
    }

    /// What a person would see of some commands, for a snapshot.
    pub fn transcript(&self, lines: &[&str]) -> String {
        lines.iter().map(|line| self.entry(line)).collect::<Vec<_>>().join("\n")
    }

    fn entry(&self, line: &str) -> String {
        let output = self.run(line);
        let status = output.status.code().unwrap();
        let shown = |name: &str, bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            text.lines().map(|line| format!("{name} {line}\n")).collect::<String>()
        };
        format!("$ mainstay {line}\n{}{}={status}\n", shown("1|", &output.stdout), shown("2|", &output.stderr))
    }
}

/// What a command did.
#[derive(Debug)]
pub struct Ran {
    pub stdout: String,
    pub stderr: String,
    pub status: i32,
}

impl Ran {
    /// Of a command that has ended.
    pub fn of(output: Output) -> Self {
        Self {
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            status: output.status.code().unwrap(),
        }
    }

    /// The standard output as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Waits for what a fixture does.
pub fn wait_for<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// A process that ends with the test, whatever becomes of it.
pub struct Running(Option<Child>);

impl From<Child> for Running {
    fn from(child: Child) -> Self {
        Self(Some(child))
    }
}

impl Running {
    pub fn child(&mut self) -> &mut Child {
        self.0.as_mut().unwrap()
    }

    #[cfg(unix)]
    pub fn signal(&mut self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(self.child());
        rustix::process::kill_process(pid, signal).unwrap();
    }

    pub fn finish(mut self) -> Output {
        self.0.take().unwrap().wait_with_output().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Hides in a snapshot what differs from run to run.
pub fn steady(text: &str) -> insta::internals::SettingsBindDropGuard {
    let mut settings = insta::Settings::clone_current();
    settings.set_description(text);
    for (pattern, replacement) in [
        (r"msg-[0-9a-f]{8}", "msg-········"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>"),
        (r"[0-9a-f]{16}:\d+", "<position>"),
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uuid>"),
    ] {
        settings.add_filter(pattern, replacement);
    }
    settings.bind_to_scope()
}
