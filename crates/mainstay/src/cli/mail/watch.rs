//! `mainstay mail watch`.

use super::show;
use super::wait::gap_text;
use crate::cli::context::Context;
use crate::cli::span::Millis;
use crate::failure::{Failure, Result};
use clap::Args;
use futures::StreamExt;
use mainstay_api::mail::{MarkRead, Message, ReadInbox, Start};
use mainstay_api::{InstanceId, MessageType};
use mainstay_client::InboxEvent;
use std::process::{ExitStatus, Stdio};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Follows the inbox, through restarts of the server and the store, until it is stopped.
#[derive(Debug, Args)]
#[command(after_help = "\
The command of --exec finds the message as JSON on stdin, and MAINSTAY_MESSAGE_ID, MAINSTAY_MESSAGE_FROM, \
MAINSTAY_MESSAGE_TYPE and MAINSTAY_MESSAGE_SUBJECT in its environment.")]
pub struct Watch {
    /// Where to begin: unread, oldest, now, or a position.
    #[arg(long, value_name = "POSITION", default_value = "unread")]
    after: Start,
    /// Run this with `sh -c` for each message; a message counts as read when it exited with 0.
    #[arg(long, value_name = "COMMAND")]
    exec: Option<String>,
    /// How long the command may run for one message before it is killed.
    #[arg(long, value_name = "SPAN", default_value = "1h", requires = "exec")]
    exec_timeout: Millis,
    /// Do not mark what is delivered as read.
    #[arg(long)]
    peek: bool,
    /// Only messages of this type.
    #[arg(long = "type", short = 't', value_name = "TYPE")]
    kind: Option<MessageType>,
    /// Only messages from this instance.
    #[arg(long, value_name = "INSTANCE")]
    from: Option<InstanceId>,
}

impl Watch {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let read = ReadInbox {
            after: self.after.clone(),
            kind: self.kind.clone(),
            sender: self.from.clone(),
            ..ReadInbox::default()
        };
        let mut events = context.client().await?.mail().inbox_events(read);
        let mut interrupted = false;
        while let Some(event) = events.next().await {
            match event? {
                InboxEvent::Message(message) => self.deliver(context, &message).await?,
                InboxEvent::Gap(gap) => context.printer.warning(gap_text(gap)),
                InboxEvent::Ready(_) if interrupted => context.printer.note("connected again"),
                InboxEvent::Ready(_) => {}
                // Once for each interruption, not for each attempt to end it.
                InboxEvent::Interrupted(problem) if !interrupted => {
                    context.printer.warning(&format!("interrupted, trying again: {problem}"));
                    interrupted = true;
                    continue;
                }
                InboxEvent::Interrupted(_) => continue,
            }
            interrupted = false;
        }
        Ok(())
    }

    async fn deliver(&self, context: &Context<'_>, message: &Message) -> Result {
        let id = &message.content.id;
        match &self.exec {
            None => context.printer.item(message, || show::message(message) + "\n")?,
            Some(command) => {
                let status = self.execute(command, message).await?;
                if !status.is_some_and(|status| status.success()) {
                    let how = status.map_or("took too long".into(), |status| status.to_string());
                    context.printer.warning(&format!("the command for {id} failed ({how}); the message stays unread"));
                    return Ok(());
                }
            }
        }
        if !self.peek {
            mark_read(context, message).await?;
        }
        Ok(())
    }

    /// Runs the command for a message; `None` where it took too long.
    async fn execute(&self, command: &str, message: &Message) -> Result<Option<ExitStatus>> {
        let content = &message.content;
        let failed = |cause: std::io::Error| Failure::io("the command cannot be run", &cause);
        // The environment cannot hold a NUL; a subject can.
        let subject = content.subject.replace('\0', " ");
        let mut child = Command::new("sh")
            .args(["-c", command])
            .env("MAINSTAY_MESSAGE_ID", content.id.as_str())
            .env("MAINSTAY_MESSAGE_FROM", content.from.as_str())
            .env("MAINSTAY_MESSAGE_TYPE", content.kind.as_str())
            .env("MAINSTAY_MESSAGE_SUBJECT", subject)
            .stdin(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let document = serde_json::to_vec(message).map_err(|cause| mainstay_core::Error::bug(cause.to_string()))?;
        let stdin = child.stdin.take();
        let run = async {
            if let Some(mut stdin) = stdin {
                // A command need not read the message; then the pipe breaks, and that is its choice.
                let _ = stdin.write_all(&document).await;
            }
            child.wait().await
        };
        match tokio::time::timeout(self.exec_timeout.duration(), run).await {
            Ok(status) => status.map(Some).map_err(failed),
            Err(_) => Ok(None),
        }
    }
}

/// Marks a delivered message as read. Where that fails for the moment, the message may be delivered again by a later
/// watch, which is the lesser harm; the watch goes on.
async fn mark_read(context: &Context<'_>, message: &Message) -> Result {
    let mark = MarkRead { ids: vec![message.content.id.clone()] };
    match context.client().await?.mail().mark_read(&mark).await {
        Err(error) if error.is_retryable() => {
            context.printer.warning(&format!("{} could not be marked as read: {error}", message.content.id));
            Ok(())
        }
        Err(error) => Err(error.into()),
        Ok(_) => Ok(()),
    }
}
