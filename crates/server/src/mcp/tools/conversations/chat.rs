//! `chat_send`.

use super::view::Line;
use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::{Backend, Result};
use mainstay_api::ConversationId;
use mainstay_api::conversations::SendText;
use mainstay_api::ids::RequestId;
use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(in crate::mcp::tools) const NAME: &str = "chat_send";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp::tools) struct Given {
    /// The conversation; conversation_create begins one.
    id: ConversationId,
    /// What the user says.
    #[schemars(length(min = 1))]
    text: String,
    /// What you know of the workflow, for the agent.
    workflow_context: Option<Map<String, Value>>,
    /// An id of this call: repeated with the same id, it returns the first answer.
    request_id: Option<RequestId>,
}

/// The answer of the agent.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp::tools) struct Answer {
    /// What the agent said.
    messages: Vec<Line>,
    /// The version of the conversation after it.
    version: u64,
    /// Whether an earlier call with the same request id had been answered.
    replayed: bool,
}

pub(super) fn tool() -> Tool {
    schema::tool::<Given, Answer>(Description {
        name: NAME,
        title: "Say something to the agent",
        text: "Stores what the user says in one of the user's conversations, has the configured agent answer, stores \
               the answer, and returns it. May take as long as the agent does. One message at a time: while another \
               is being answered, it is refused as busy.",
        effect: Effect::Adds,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, given: Given) -> Result<Answer> {
    let send = SendText { text: given.text, workflow_context: given.workflow_context };
    let answered = backend.chat_send(given.request_id, &given.id, send).await?;
    Ok(Answer { messages: Line::all(answered.messages), version: answered.version, replayed: answered.replayed })
}
