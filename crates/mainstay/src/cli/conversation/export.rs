//! `mainstay conversation export`.

use super::erase::another;
use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use futures::StreamExt;
use mainstay_api::{ConversationId, Subject};

/// Writes conversations to stdout as JSON lines: each conversation, then its messages in their order.
#[derive(Debug, Args)]
pub struct Export {
    /// The conversation; all of one's own when absent.
    #[arg(conflicts_with = "of")]
    id: Option<ConversationId>,
    /// All of this user, as realm/tenant/user; needs the scope conversations:admin.
    #[arg(long, value_name = "USER", value_parser = another, requires = "reason")]
    of: Option<Subject>,
    /// Why the data of another user is accessed; it is recorded.
    #[arg(long, requires = "of")]
    reason: Option<String>,
}

impl Export {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let client = context.client().await?;
        let mut lines = match (&self.id, &self.of) {
            (Some(id), _) => client.conversations().export(id).await?,
            (None, Some(of)) => {
                client.conversations().export_of(of, self.reason.as_deref().unwrap_or_default()).await?
            }
            (None, None) => client.conversations().export_all().await?,
        };
        while let Some(line) = lines.next().await {
            context.printer.line(&line?)?;
        }
        Ok(())
    }
}
