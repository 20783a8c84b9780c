//! `mainstay conversation patch`.

use super::{input, view};
use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::ConversationId;
use mainstay_api::conversations::PatchConversation;

/// Changes a conversation by a JSON document: what is absent stays, `null` removes, objects are merged.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: mainstay conversation patch 0b5c… '{\"title\": \"Plans\", \"metadata\": {\"team\": \"a\"}}'"
)]
pub struct Patch {
    /// The conversation.
    id: ConversationId,
    /// The document; `-` reads it from stdin.
    #[arg(value_name = "JSON")]
    patch: String,
    /// Change only this version.
    #[arg(long, value_name = "VERSION")]
    expect: Option<u64>,
}

impl Patch {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let mut patch: PatchConversation = input::document(self.patch)?;
        patch.expected_version = self.expect.or(patch.expected_version);
        let conversation = context.client().await?.conversations().patch(&self.id, &patch).await?;
        context.printer.data(&conversation, || view::conversation(&conversation))
    }
}
