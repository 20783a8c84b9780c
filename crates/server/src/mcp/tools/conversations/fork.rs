//! `conversation_fork`.

use super::view::Shown;
use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::{Backend, Result};
use mainstay_api::ConversationId;
use mainstay_api::conversations::ForkConversation;
use mainstay_api::ids::RequestId;
use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::Deserialize;

pub(in crate::mcp::tools) const NAME: &str = "conversation_fork";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp::tools) struct Given {
    /// The conversation to copy from.
    id: ConversationId,
    /// The seq of the last message to copy; all of them when absent.
    up_to: Option<u64>,
    /// What the new one is about; as the other when absent.
    title: Option<String>,
    /// An id of this call: repeated with the same id, it begins nothing twice.
    request_id: Option<RequestId>,
}

pub(super) fn tool() -> Tool {
    schema::tool::<Given, Shown>(Description {
        name: NAME,
        title: "Fork a conversation",
        text: "Begins a conversation with a copy of another one's messages, up to a place, to go on differently from \
               there. The other stays as it is.",
        effect: Effect::Adds,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, given: Given) -> Result<Shown> {
    let fork = ForkConversation { id: None, up_to: given.up_to, title: given.title };
    let created = backend.conversation_fork(given.request_id, &given.id, fork).await?;
    Ok(Shown::of(created.conversation.summary))
}
