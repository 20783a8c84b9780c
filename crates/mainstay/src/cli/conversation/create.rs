//! `mainstay conversation create`.

use super::input;
use crate::cli::context::Context;
use crate::cli::span::Millis;
use crate::failure::Result;
use crate::printer::one_line;
use clap::Args;
use mainstay_api::ConversationId;
use mainstay_api::conversations::{CreateConversation, Retention, RetentionMode};
use mainstay_api::ids::RequestId;

/// Begins a conversation.
#[derive(Debug, Args)]
pub struct Create {
    /// The id to give it; a UUID is made when absent.
    #[arg(long)]
    id: Option<ConversationId>,
    /// What it is about.
    #[arg(long, short)]
    title: Option<String>,
    /// The id under which another system knows it.
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// The workflow that it runs.
    #[arg(long, value_name = "ID")]
    workflow_id: Option<String>,
    /// What to keep with it, a JSON object; `-` reads it from stdin.
    #[arg(long, value_name = "JSON")]
    metadata: Option<String>,
    /// Keep it until it is deleted.
    #[arg(long)]
    pinned: bool,
    /// How long to keep it, such as 30d; what is configured when absent.
    #[arg(long, value_name = "SPAN")]
    keep: Option<Millis>,
    /// Count that time from now, not from the last use.
    #[arg(long, requires = "keep")]
    fixed: bool,
    /// An id of this call: repeated with the same id, it begins nothing twice.
    #[arg(long, value_name = "ID")]
    request_id: Option<RequestId>,
}

impl Create {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let mode = if self.fixed { RetentionMode::Fixed } else { RetentionMode::Sliding };
        let create = CreateConversation {
            id: self.id,
            title: self.title,
            external_id: self.external_id,
            workflow_id: self.workflow_id,
            metadata: self.metadata.map(input::document).transpose()?,
            pinned: self.pinned,
            retention: self.keep.map(|keep| Retention { mode, ttl_ms: keep.0.unsigned_abs() }),
            ..CreateConversation::default()
        };
        let created = context.client().await?.conversations().create(&create, self.request_id).await?;
        context.printer.data(&created, || one_line(created.conversation.summary.id.as_str()))
    }
}
