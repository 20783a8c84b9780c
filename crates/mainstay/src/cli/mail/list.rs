//! `mainstay mail list`.

use super::show;
use crate::cli::context::Context;
use crate::cli::span::Moment;
use crate::failure::Result;
use clap::Args;
use mainstay_api::mail::ListMessages;
use mainstay_api::{InstanceId, MessageId, MessageType};

/// Lists messages: those of one's own inbox where it is known who one is, else all.
#[derive(Debug, Args)]
pub struct List {
    /// The inbox of this instance, broadcasts included; `all` for broadcasts alone.
    #[arg(long, value_name = "INSTANCE", conflicts_with = "all")]
    to: Option<InstanceId>,
    /// Every message of the namespace.
    #[arg(long)]
    all: bool,
    /// Only messages from this instance.
    #[arg(long, value_name = "INSTANCE")]
    from: Option<InstanceId>,
    /// Only messages of this type.
    #[arg(long = "type", short = 't', value_name = "TYPE")]
    kind: Option<MessageType>,
    /// Only messages of this thread.
    #[arg(long, value_name = "ID")]
    thread: Option<MessageId>,
    /// Only messages that wait for an acknowledgement.
    #[arg(long)]
    pending: bool,
    /// Only messages sent since then: a span such as 24h, or a time.
    #[arg(long, value_name = "WHEN")]
    since: Option<Moment>,
    /// Only messages sent before then.
    #[arg(long, value_name = "WHEN")]
    until: Option<Moment>,
    /// Only messages whose subject contains this text.
    #[arg(long, value_name = "TEXT")]
    subject: Option<String>,
    /// Messages at most, 1 to 1000.
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// Where the list before this one ended.
    #[arg(long)]
    cursor: Option<String>,
    /// Oldest first.
    #[arg(long)]
    oldest_first: bool,
    /// Include the receipt of every recipient; in JSON.
    #[arg(long, requires = "json")]
    receipts: bool,
}

impl List {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let own = context.settings.instance.clone().filter(|_| !self.all);
        let recipient = self.to.or(own);
        let guessed_all = recipient.is_none() && !self.all;
        let now = context.now();
        let list = ListMessages {
            recipient,
            sender: self.from,
            kind: self.kind,
            thread: self.thread,
            pending: self.pending,
            since: self.since.map(|when| when.before(now)),
            until: self.until.map(|when| when.before(now)),
            subject: self.subject,
            oldest_first: self.oldest_first,
            limit: Some(self.limit),
            cursor: self.cursor,
            receipts: self.receipts,
        };
        let page = context.client().await?.mail().list(&list).await?;
        if guessed_all {
            context.printer.note("showing the mail of everyone; name an inbox with --to, or yourself with --as");
        }
        context.printer.data(&page, || show::table(context.printer, &page.items))?;
        if !context.printer.is_json() {
            if page.items.is_empty() {
                context.printer.note("no messages");
            }
            if let Some(next) = &page.next {
                context.printer.note(&format!("there is more: --cursor {next}"));
            }
        }
        Ok(())
    }
}
