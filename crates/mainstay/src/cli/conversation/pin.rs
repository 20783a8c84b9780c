//! `mainstay conversation pin`.

use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::ConversationId;
use mainstay_api::conversations::PatchConversation;

/// Keeps a conversation until it is deleted.
#[derive(Debug, Args)]
pub struct Pin {
    /// The conversation.
    id: ConversationId,
    /// Let it expire again.
    #[arg(long)]
    off: bool,
}

impl Pin {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let patch = PatchConversation { pinned: Some(!self.off), ..PatchConversation::default() };
        let conversation = context.client().await?.conversations().patch(&self.id, &patch).await?;
        context.printer.data(&conversation, || match conversation.summary.expires_at {
            Some(at) => format!("expires {}", at.to_seconds_text()),
            None => "pinned".into(),
        })
    }
}
