//! The program that works on one event.

use crate::failure::{Failure, Result};
use mainstay_api::events::{ConsumerName, GroupName, WorkEvent};
use mainstay_api::{Code, Namespace};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

/// How long a handler that is told to end may take before it is killed.
const END_WITHIN: Duration = Duration::from_secs(3);

/// How to run it.
pub(super) struct Handler {
    pub command: Vec<String>,
    pub group: GroupName,
    pub consumer: ConsumerName,
    pub namespace: Namespace,
    pub timeout: Duration,
}

/// What came of an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Its work is done.
    Done,
    /// It failed, and how.
    Failed(String),
    /// It was not finished, and that is not its fault.
    Interrupted,
}

impl Handler {
    /// Runs the handler for an event, until it ends, its time is over, or the end of a stop is due.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub(super) async fn run(&self, work: &WorkEvent, stop: &super::Stop) -> Result<Outcome> {
        let mut child = self.start(work)?;
        let line = line_of(work)?;
        tokio::select! {
            status = finish(&mut child, line.as_bytes()) => {
                let status = status.map_err(|cause| Failure::io("the handler was lost", &cause))?;
                Ok(outcome_of(status, &stop.begun))
            }
            () = stop.due.cancelled() => {
                end(&mut child).await;
                Ok(Outcome::Interrupted)
            }
            () = tokio::time::sleep(self.timeout) => {
                end(&mut child).await;
                Ok(Outcome::Failed(format!("the handler did not end within {} s", self.timeout.as_secs())))
            }
        }
    }

    fn start(&self, work: &WorkEvent) -> Result<Child> {
        let Some((program, arguments)) = self.command.split_first() else {
            return Err(Failure::new(Code::InvalidRequest, "there is no handler", "Name it after `--`."));
        };
        let event = &work.event;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("MAINSTAY_NAMESPACE", self.namespace.as_str())
            .env("MAINSTAY_EVENT_ID", event.id.as_str())
            .env("MAINSTAY_EVENT_TYPE", event.kind.as_str())
            .env("MAINSTAY_EVENT_STREAM", event.stream.as_str())
            .env("MAINSTAY_EVENT_ROOM", event.room.as_str())
            .env("MAINSTAY_EVENT_TIMESTAMP", event.timestamp.to_millis_text())
            .env("MAINSTAY_EVENT_POSITION", event.position.to_string())
            .env("MAINSTAY_EVENT_TOKEN", work.token.to_string())
            .env("MAINSTAY_EVENT_DELIVERY", work.delivery.to_string())
            .env("MAINSTAY_EVENT_GROUP", self.group.as_str())
            .env("MAINSTAY_EVENT_CONSUMER", self.consumer.as_str())
            .stdin(Stdio::piped())
            .kill_on_drop(true);
        // A group of its own: Ctrl-C is for the consumer, which lets the handler finish.
        #[cfg(unix)]
        command.process_group(0);
        command.spawn().map_err(|cause| {
            let detail = format!("the handler {program:?} cannot be started: {cause}");
            Failure::new(Code::InvalidRequest, detail, "Check its name and whether it may be executed.")
        })
    }
}

/// The event as the handler reads it. What was carried as it was written may have had several lines.
fn line_of(work: &WorkEvent) -> Result<String> {
    let text = serde_json::to_string(&work.event).map_err(|cause| mainstay_core::Error::bug(cause.to_string()))?;
    Ok(text.replace(['\r', '\n'], " ") + "\n")
}

async fn finish(child: &mut Child, line: &[u8]) -> std::io::Result<ExitStatus> {
    if let Some(mut stdin) = child.stdin.take() {
        // A handler need not read the event; then the pipe breaks, and that is its choice.
        let _ = stdin.write_all(line).await;
    }
    child.wait().await
}

fn outcome_of(status: ExitStatus, stopping: &CancellationToken) -> Outcome {
    if status.success() {
        return Outcome::Done;
    }
    // Whoever stops the consumer may stop its whole tree of processes.
    if stopping.is_cancelled() && status.code().is_none() {
        return Outcome::Interrupted;
    }
    Outcome::Failed(format!("the handler failed ({status})"))
}

/// Ends a handler and what it started.
async fn end(child: &mut Child) {
    signal(child, false);
    if tokio::time::timeout(END_WITHIN, child.wait()).await.is_err() {
        signal(child, true);
        let _ = child.kill().await;
    }
}

#[cfg(unix)]
fn signal(child: &Child, at_once: bool) {
    use rustix::process::{Pid, Signal, kill_process_group};
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let Some(pid) = pid else { return };
    if let Err(error) = kill_process_group(pid, if at_once { Signal::KILL } else { Signal::TERM }) {
        tracing::debug!(%error, "the handler could not be told to end");
    }
}

#[cfg(not(unix))]
fn signal(_child: &Child, _at_once: bool) {}
