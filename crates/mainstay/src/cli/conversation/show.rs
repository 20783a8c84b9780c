//! `mainstay conversation show`.

use super::view;
use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::ConversationId;
use mainstay_api::conversations::{Conversation, MessagePage, ReadMessages};
use serde::Serialize;

/// Shows a conversation and its newest messages, oldest first.
#[derive(Debug, Args)]
pub struct Show {
    /// The conversation.
    id: ConversationId,
    /// Messages at most, 1 to 1000.
    #[arg(long, default_value_t = 20)]
    limit: u32,
    /// The messages that follow the one with this number.
    #[arg(long, value_name = "SEQ", conflicts_with = "before")]
    after: Option<u64>,
    /// The messages that come before the one with this number.
    #[arg(long, value_name = "SEQ")]
    before: Option<u64>,
}

/// A conversation with some of its messages.
#[derive(Serialize)]
struct Shown {
    conversation: Conversation,
    messages: MessagePage,
}

impl Show {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let client = context.client().await?;
        let conversation = client.conversations().read(&self.id).await?;
        let read = ReadMessages { after: self.after, before: self.before, limit: Some(self.limit) };
        let messages = client.conversations().messages(&self.id, &read).await?;
        let shown = Shown { conversation, messages };
        context.printer.data(&shown, || {
            let said: Vec<String> = shown.messages.messages.iter().map(view::message).collect();
            format!("{}\n{}", view::conversation(&shown.conversation), said.join("\n"))
        })?;
        if !context.printer.is_json() && shown.messages.more {
            let messages = &shown.messages.messages;
            let further = match self.after {
                Some(_) => messages.last().map(|last| format!("--after {}", last.seq)),
                None => messages.first().map(|first| format!("--before {}", first.seq)),
            };
            context.printer.note(&format!("there is more: {}", further.unwrap_or_default()));
        }
        Ok(())
    }
}
