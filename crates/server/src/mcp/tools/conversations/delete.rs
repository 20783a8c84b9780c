//! `conversation_delete`.

use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::{Backend, Result};
use mainstay_api::ConversationId;
use mainstay_api::conversations::DeletedConversation;
use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::Deserialize;

pub(in crate::mcp::tools) const NAME: &str = "conversation_delete";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp::tools) struct Given {
    /// The conversation.
    id: ConversationId,
}

pub(super) fn tool() -> Tool {
    schema::tool::<Given, DeletedConversation>(Description {
        name: NAME,
        title: "Delete a conversation",
        text: "Deletes one of the user's conversations with all of its messages. It cannot be brought back.",
        effect: Effect::Removes,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, given: Given) -> Result<DeletedConversation> {
    backend.conversation_delete(&given.id).await
}
