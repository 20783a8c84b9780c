//! A process of its own, such as a server under measurement.

use anyhow::{Context, Result, bail};
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
        let spoken: Box<dyn AsyncRead + Send + Unpin>;
        let mut child;
        if says == Says::Stdout {
            child = command.stdout(Stdio::piped()).spawn().context("the process cannot be started")?;
            spoken = Box::new(child.stdout.take().context("the process has no stdout")?);
        } else {
            child = command.stderr(Stdio::piped()).spawn().context("the process cannot be started")?;
            spoken = Box::new(child.stderr.take().context("the process has no stderr")?);
        }
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
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()?))?;
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).context("no resident size")?;
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
