//! `mainstay conversation delete`.

use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::ConversationId;

/// Deletes a conversation with its messages, for good.
#[derive(Debug, Args)]
pub struct Delete {
    /// The conversation.
    id: ConversationId,
}

impl Delete {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let deleted = context.client().await?.conversations().delete(&self.id).await?;
        context
            .printer
            .data(&deleted, || if deleted.deleted { "deleted" } else { "there is no such conversation" }.into())
    }
}
