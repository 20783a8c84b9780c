//! `mainstay conversation fork`.

use crate::cli::context::Context;
use crate::failure::Result;
use crate::printer::one_line;
use clap::Args;
use mainstay_api::ConversationId;
use mainstay_api::conversations::ForkConversation;
use mainstay_api::ids::RequestId;

/// Begins a conversation with a copy of another one's messages; prints its id.
#[derive(Debug, Args)]
pub struct Fork {
    /// The conversation to copy from.
    id: ConversationId,
    /// The number of the last message to copy; all of them when absent.
    #[arg(long, value_name = "SEQ")]
    up_to: Option<u64>,
    /// What it is about; as the other when absent.
    #[arg(long, short)]
    title: Option<String>,
    /// The id to give it; a UUID is made when absent.
    #[arg(long = "id", value_name = "ID")]
    new_id: Option<ConversationId>,
    /// An id of this call: repeated with the same id, it begins nothing twice.
    #[arg(long, value_name = "ID")]
    request_id: Option<RequestId>,
}

impl Fork {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let fork = ForkConversation { id: self.new_id, up_to: self.up_to, title: self.title };
        let created = context.client().await?.conversations().fork(&self.id, &fork, self.request_id).await?;
        context.printer.data(&created, || one_line(created.conversation.summary.id.as_str()))
    }
}
