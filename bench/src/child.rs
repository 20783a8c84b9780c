//! A process of its own, such as a server under measurement.

use anyhow::{Context, Result, bail};
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

/// A process that says nothing for this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a process says where it listens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Says {
    Stdout,
    Stderr,
    /// It does not; what it says on stdout is thrown away.
    Nothing,
}

/// A child process with its standard streams, ended with its owner.
pub struct Process {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<Box<dyn AsyncRead + Send + Unpin>>>,
}

impl Process {
    /// Starts a program; on one core of the machine, where one is named, by `taskset`.
    pub fn start(
        core: Option<usize>,
        program: impl AsRef<Path>,
        change: impl FnOnce(&mut Command) -> Says,
    ) -> Result<Self> {
        let mut command = Command::new(if core.is_some() { Path::new("taskset") } else { program.as_ref() });
        if let Some(core) = core {
            command.args(["--cpu-list", &core.to_string()]).arg(program.as_ref());
        }
        let says = change(&mut command);
        command.stdin(Stdio::piped()).kill_on_drop(true);
        match says {
            Says::Stdout => command.stdout(Stdio::piped()),
            Says::Stderr => command.stderr(Stdio::piped()),
            Says::Nothing => command.stdout(Stdio::null()),
        };
        let mut child = command.spawn().context("the process cannot be started")?;
        let spoken: Box<dyn AsyncRead + Send + Unpin> = match says {
            Says::Stdout => Box::new(child.stdout.take().context("the process has no stdout")?),
            Says::Stderr => Box::new(child.stderr.take().context("the process has no stderr")?),
            Says::Nothing => Box::new(tokio::io::empty()),
        };
        let stdin = child.stdin.take().context("the process has no stdin")?;
        Ok(Self { child, stdin, lines: BufReader::new(spoken).lines() })
    }

    /// The next line that it prints.
    pub async fn line(&mut self) -> Result<String> {
        match timeout(PATIENCE, self.lines.next_line()).await.context("the process says nothing")?? {
            Some(line) => Ok(line),
            None => bail!("the process has ended"),
        }
    }

    /// Writes a line to it and waits for one.
    pub async fn ask(&mut self, line: &str) -> Result<String> {
        self.stdin.write_all(format!("{line}\n").as_bytes()).await?;
        self.line().await
    }

    /// Processor time that it has taken, in seconds.
    pub fn cpu_seconds(&self) -> Result<f64> {
        // Per thread and in nanoseconds, where `stat` counts hundredths of a second: a burst takes a tenth.
        let mut busy_ns = 0.0;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.id()?))? {
            let spent = std::fs::read_to_string(thread?.path().join("schedstat"))?;
            busy_ns += spent.split(' ').next().context("no time of a thread")?.parse::<f64>()?;
        }
        Ok(busy_ns / 1e9)
    }

    /// Memory that it holds for itself, in bytes: not the program, which is mapped from its file.
    pub fn resident_bytes(&self) -> Result<f64> {
        self.status_bytes("RssAnon:")
    }

    /// Memory that it has, program and all, in bytes.
    pub fn memory_bytes(&self) -> Result<f64> {
        self.status_bytes("VmRSS:")
    }

    fn status_bytes(&self, name: &str) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()?))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no resident size")?;
        let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kib * 1_024.0)
    }

    /// Ends it.
    pub async fn stop(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    fn id(&self) -> Result<u32> {
        self.child.id().context("the process has ended")
    }
}

/// Says a line to the process that started this one.
pub fn say(line: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
