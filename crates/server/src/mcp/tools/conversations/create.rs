//! `conversation_create`.

use super::view::Shown;
use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::{Backend, Result};
use mainstay_api::ConversationId;
use mainstay_api::conversations::CreateConversation;
use mainstay_api::ids::RequestId;
use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(in crate::mcp::tools) const NAME: &str = "conversation_create";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp::tools) struct Given {
    /// The id to give it; a UUID is made when absent.
    id: Option<ConversationId>,
    /// What it is about, at most 1,000 bytes.
    title: Option<String>,
    /// What to keep with it.
    metadata: Option<Map<String, Value>>,
    /// Keep it until it is deleted.
    #[serde(default)]
    pinned: bool,
    /// An id of this call: repeated with the same id, it begins nothing twice.
    request_id: Option<RequestId>,
}

pub(super) fn tool() -> Tool {
    schema::tool::<Given, Shown>(Description {
        name: NAME,
        title: "Begin a conversation",
        text: "Begins a conversation of the user whose credential you use. Nobody else can see it. It is kept for as \
               long as expires_at says, and longer where it is used, unless it is pinned.",
        effect: Effect::Adds,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, given: Given) -> Result<Shown> {
    let create = CreateConversation {
        id: given.id,
        title: given.title,
        metadata: given.metadata.map(Value::Object),
        pinned: given.pinned,
        ..CreateConversation::default()
    };
    let created = backend.conversation_create(given.request_id, create).await?;
    Ok(Shown::of(created.conversation.summary))
}
