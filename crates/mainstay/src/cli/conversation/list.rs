//! `mainstay conversation list`.

use super::view;
use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::conversations::{ListConversations, Status};

/// Lists one's own conversations.
#[derive(Debug, Args)]
pub struct List {
    /// Only those of this status.
    #[arg(long, value_parser = status)]
    status: Option<Status>,
    /// Conversations at most, 1 to 1000.
    #[arg(long, default_value_t = 20)]
    limit: u32,
    /// Where the list before this one ended.
    #[arg(long)]
    cursor: Option<String>,
}

/// A status, as it is written.
pub fn status(text: &str) -> Result<Status, String> {
    Status::find(text).ok_or_else(|| format!("there is no such status; there are {}", Status::ALL.join(", ")))
}

impl List {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let list = ListConversations { status: self.status, limit: Some(self.limit), cursor: self.cursor };
        let page = context.client().await?.conversations().list(&list).await?;
        context.printer.data(&page, || view::table(context.printer, &page.items))?;
        if !context.printer.is_json() {
            if page.items.is_empty() && page.next.is_none() {
                context.printer.note("no conversations");
            }
            if let Some(next) = &page.next {
                context.printer.note(&format!("there is more: --cursor {next}"));
            }
        }
        Ok(())
    }
}
