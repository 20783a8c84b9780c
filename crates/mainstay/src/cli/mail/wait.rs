//! `mainstay mail wait`.

use super::show;
use crate::cli::context::Context;
use crate::cli::span::Millis;
use crate::failure::{FAILED, Failure, Result};
use clap::Args;
use mainstay_api::mail::{Gap, Inbox, MAX_WAIT_MS, MarkRead, ReadInbox, Start};
use mainstay_api::{InstanceId, MessageType};
use mainstay_client::Mail;
use std::time::Duration;
use tokio::time::Instant;

/// Pause after a call that failed and may succeed later, in milliseconds.
const PAUSE_MS: u64 = 500;

/// Blocks until there is mail. Exit status 1 where there is none in time.
#[derive(Debug, Args)]
pub struct Wait {
    /// How long to wait, such as 30s; for ever when absent.
    #[arg(long, value_name = "SPAN")]
    timeout: Option<Millis>,
    /// Where to begin: unread, oldest, now, or the position of an earlier answer.
    #[arg(long, value_name = "POSITION", default_value = "unread")]
    after: Start,
    /// Messages at most, 1 to 1000.
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// Do not mark what is printed as read.
    #[arg(long)]
    peek: bool,
    /// Only messages of this type.
    #[arg(long = "type", short = 't', value_name = "TYPE")]
    kind: Option<MessageType>,
    /// Only messages from this instance.
    #[arg(long, value_name = "INSTANCE")]
    from: Option<InstanceId>,
}

impl Wait {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let until = self.timeout.map(|timeout| Instant::now() + timeout.duration());
        let mail = context.client().await?.mail();
        let read = ReadInbox {
            after: self.after,
            limit: Some(self.limit),
            kind: self.kind,
            sender: self.from,
            ..ReadInbox::default()
        };
        let Some(inbox) = first_mail(context, &mail, read, until).await? else {
            context.printer.note("no mail in time");
            return Err(Failure::Status(FAILED));
        };
        let shown = || inbox.messages.iter().map(show::message).collect::<Vec<_>>().join("\n");
        context.printer.data(&inbox, shown)?;
        if !self.peek {
            // Only now: what could not be printed stays unread.
            let ids = inbox.messages.into_iter().map(|message| message.content.id).collect();
            mail.mark_read(&MarkRead { ids }).await?;
        }
        Ok(())
    }
}

/// The first answer that holds mail; `None` where there is none in time.
async fn first_mail(
    context: &Context<'_>,
    mail: &Mail<'_>,
    mut read: ReadInbox,
    until: Option<Instant>,
) -> Result<Option<Inbox>> {
    // The first answer comes at once: it shows that the store is there, and where `now` is. Only then does an
    // interruption mean waiting on, and nothing that arrives during one is missed.
    let mut answered = false;
    loop {
        let left_ms = until.map_or(MAX_WAIT_MS, |until| {
            u64::try_from(until.saturating_duration_since(Instant::now()).as_millis()).unwrap_or(MAX_WAIT_MS)
        });
        read.wait_ms = Some(if answered { left_ms.min(MAX_WAIT_MS) } else { 0 });
        match mail.inbox(&read).await {
            Ok(inbox) => {
                answered = true;
                if let Some(gap) = inbox.gap {
                    context.printer.warning(gap_text(gap));
                }
                if !inbox.messages.is_empty() {
                    return Ok(Some(inbox));
                }
                // From `unread` the next answer must begin there again: a filter may have passed over mail that
                // stays unread. A position moves on, so that a call which follows sees only what is new.
                if read.after != Start::Unread {
                    read.after = Start::After(inbox.position);
                }
            }
            // A store that was there and is away comes back; one that never was is an error at once.
            Err(error) if answered && error.is_retryable() => {
                tracing::warn!(%error, "the wait is interrupted and goes on");
                let pause_ms = PAUSE_MS.max(error.retry_after_ms().unwrap_or(0));
                tokio::time::sleep(Duration::from_millis(pause_ms.min(left_ms))).await;
            }
            Err(error) => return Err(error.into()),
        }
        if until.is_some_and(|until| Instant::now() >= until) {
            return Ok(None);
        }
    }
}

/// What a gap means, for people.
pub(super) fn gap_text(gap: Gap) -> &'static str {
    match gap {
        Gap::Trimmed => "messages were dropped before they were read: they expired, or the inbox was full",
        Gap::NewEpoch => "the store was emptied or replaced; reading began with the oldest unread message",
    }
}
