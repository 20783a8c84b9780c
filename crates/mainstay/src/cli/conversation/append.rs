//! `mainstay conversation append`.

use super::input;
use crate::cli::context::Context;
use crate::failure::{Failure, Result};
use clap::{Args, ValueEnum};
use mainstay_api::conversations::{AppendMessages, NewMessage, Role};
use mainstay_api::ids::RequestId;
use mainstay_api::{Code, ConversationId};

/// Appends a message as it is, or several.
#[derive(Debug, Args)]
pub struct Append {
    /// The conversation.
    id: ConversationId,
    /// The text; `-` reads it from stdin.
    #[arg(allow_hyphen_values = true, required_unless_present = "messages")]
    text: Option<String>,
    /// Who says it.
    #[arg(long, value_enum, default_value_t = Speaker::User)]
    role: Speaker,
    /// The messages as a JSON list, in the place of a text; `-` reads it from stdin.
    #[arg(long, value_name = "JSON", conflicts_with_all = ["text", "role"])]
    messages: Option<String>,
    /// Append only to this version.
    #[arg(long, value_name = "VERSION")]
    expect: Option<u64>,
    /// The token of the turn that one has taken.
    #[arg(long, value_name = "TOKEN")]
    turn: Option<u64>,
    /// An id of this call: repeated with the same id, it stores nothing twice.
    #[arg(long, value_name = "ID")]
    request_id: Option<RequestId>,
}

/// Who says something.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Speaker {
    User,
    Assistant,
    System,
    Tool,
}

impl From<Speaker> for Role {
    fn from(speaker: Speaker) -> Self {
        match speaker {
            Speaker::User => Self::User,
            Speaker::Assistant => Self::Assistant,
            Speaker::System => Self::System,
            Speaker::Tool => Self::Tool,
        }
    }
}

impl Append {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let messages = match (self.messages, self.text) {
            (Some(messages), _) => input::document(messages)?,
            (None, Some(text)) => vec![NewMessage::text(self.role.into(), input::text(text)?)],
            (None, None) => {
                return Err(Failure::new(Code::InvalidRequest, "there is nothing to append", "Give a text."));
            }
        };
        let append = AppendMessages { messages, expected_version: self.expect, turn: self.turn };
        let appended = context.client().await?.conversations().append(&self.id, &append, self.request_id).await?;
        context.printer.data(&appended, || {
            let places: Vec<String> = appended.messages.iter().map(|message| message.seq.to_string()).collect();
            places.join("\n")
        })
    }
}
