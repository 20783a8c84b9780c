//! `mainstay conversation send`, and `mainstay chat`.

use super::{input, view};
use crate::cli::context::Context;
use crate::failure::Result;
use crate::printer::one_line;
use clap::Args;
use mainstay_api::ConversationId;
use mainstay_api::conversations::{CreateConversation, SendText};
use mainstay_api::ids::RequestId;

/// Says something and prints what the agent answers.
#[derive(Debug, Args)]
pub struct Send {
    /// The conversation.
    id: ConversationId,
    /// The text; `-` reads it from stdin.
    #[arg(allow_hyphen_values = true)]
    text: String,
    /// An id of this call: repeated with the same id, it prints the first answer.
    #[arg(long, value_name = "ID")]
    request_id: Option<RequestId>,
}

/// Says something to the agent and prints what it answers. Begins a conversation where none is named.
#[derive(Debug, Args)]
#[command(after_help = "Example: mainstay chat \"What did we decide?\" --conversation 0b5c…")]
pub struct Chat {
    /// The text; `-` reads it from stdin.
    #[arg(allow_hyphen_values = true)]
    text: String,
    /// The conversation to go on with; its id is printed on stderr where one begins.
    #[arg(long, short, value_name = "ID")]
    conversation: Option<ConversationId>,
    /// An id of this call: repeated with the same id, it prints the first answer.
    #[arg(long, value_name = "ID", requires = "conversation")]
    request_id: Option<RequestId>,
}

impl Send {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let send = SendText { text: input::text(self.text)?, workflow_context: None };
        let answered = context.client().await?.conversations().send(&self.id, &send, self.request_id).await?;
        context.printer.data(&answered, || {
            let said: Vec<String> = answered.messages.iter().map(view::said).collect();
            said.join("\n\n")
        })
    }
}

impl Chat {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let text = input::text(self.text)?;
        let id = match self.conversation {
            Some(id) => id,
            None => begin(context).await?,
        };
        Send { id, text, request_id: self.request_id }.run(context).await
    }
}

async fn begin(context: &Context<'_>) -> Result<ConversationId> {
    let created = context.client().await?.conversations().create(&CreateConversation::default(), None).await?;
    let id = created.conversation.summary.id;
    context.printer.note(&format!("go on with --conversation {}", one_line(id.as_str())));
    Ok(id)
}
