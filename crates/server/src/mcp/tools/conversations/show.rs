//! `conversation_show`.

use super::view::Shown;
use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::{Backend, Result};
use mainstay_api::ConversationId;
use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(in crate::mcp::tools) const NAME: &str = "conversation_show";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp::tools) struct Given {
    /// The conversation.
    id: ConversationId,
}

/// A conversation, without its messages.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp::tools) struct Answer {
    #[serde(flatten)]
    shown: Shown,
    /// What is kept with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Value>,
    /// The state of its workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow: Option<Value>,
}

pub(super) fn tool() -> Tool {
    schema::tool::<Given, Answer>(Description {
        name: NAME,
        title: "Show a conversation",
        text: "Returns one of the user's conversations with its metadata and the state of its workflow, without its \
               messages: conversation_messages reads those.",
        effect: Effect::Reads,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, given: Given) -> Result<Answer> {
    let conversation = backend.conversation(&given.id).await?;
    Ok(Answer {
        shown: Shown::of(conversation.summary),
        metadata: conversation.metadata,
        workflow: conversation.workflow,
    })
}
