//! `mainstay conversation status`.

use super::list;
use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::ConversationId;
use mainstay_api::conversations::{self, PatchConversation};

/// Changes the status of a conversation.
#[derive(Debug, Args)]
pub struct Status {
    /// The conversation.
    id: ConversationId,
    /// active, completed, abandoned or archived.
    #[arg(value_parser = list::status)]
    status: conversations::Status,
    /// Change only this version.
    #[arg(long, value_name = "VERSION")]
    expect: Option<u64>,
}

impl Status {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let patch = PatchConversation {
            status: Some(self.status),
            expected_version: self.expect,
            ..PatchConversation::default()
        };
        let conversation = context.client().await?.conversations().patch(&self.id, &patch).await?;
        context.printer.data(&conversation, || conversation.summary.status.as_str().to_owned())
    }
}
