//! `conversation_append`.

use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::{Backend, Result};
use mainstay_api::ConversationId;
use mainstay_api::conversations::{AppendMessages, NewMessage, Role};
use mainstay_api::ids::RequestId;
use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(in crate::mcp::tools) const NAME: &str = "conversation_append";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp::tools) struct Given {
    /// The conversation.
    id: ConversationId,
    /// The messages, 1 to 100, all of them stored or none.
    #[schemars(length(min = 1, max = 100))]
    messages: Vec<Text>,
    /// Append only where this is the version that stands.
    expected_version: Option<u64>,
    /// The token of the turn, where you have taken it.
    turn: Option<u64>,
    /// An id of this call: repeated with the same id, it stores nothing twice.
    request_id: Option<RequestId>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Text {
    /// Who says it.
    role: Role,
    /// What is said.
    text: String,
}

/// The messages that were stored.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp::tools) struct Answer {
    /// The place of each, in their order.
    seqs: Vec<u64>,
    /// The version of the conversation after it.
    version: u64,
    /// Whether an earlier call with the same request id had stored them.
    replayed: bool,
}

pub(super) fn tool() -> Tool {
    schema::tool::<Given, Answer>(Description {
        name: NAME,
        title: "Append to a conversation",
        text: "Stores messages in one of the user's conversations as they are; what is stored cannot be changed. \
               Nobody is asked for an answer: chat_send does that.",
        effect: Effect::Adds,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, given: Given) -> Result<Answer> {
    let append = AppendMessages {
        messages: given.messages.into_iter().map(|said| NewMessage::text(said.role, said.text)).collect(),
        expected_version: given.expected_version,
        turn: given.turn,
    };
    let appended = backend.conversation_append(given.request_id, &given.id, append).await?;
    Ok(Answer {
        seqs: appended.messages.iter().map(|message| message.seq).collect(),
        version: appended.version,
        replayed: appended.replayed,
    })
}
