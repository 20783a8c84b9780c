//! `conversation_messages`.

use super::view::Line;
use crate::mcp::tools::arguments;
use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::{Backend, Result};
use mainstay_api::ConversationId;
use mainstay_api::conversations::ReadMessages;
use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(in crate::mcp::tools) const NAME: &str = "conversation_messages";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp::tools) struct Given {
    /// The conversation.
    id: ConversationId,
    /// The messages that follow this seq.
    after: Option<u64>,
    /// The messages that come before this seq, the nearest ones.
    before: Option<u64>,
    /// Messages on the page: 1 to 100, 20 when absent.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
}

/// A page of messages.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp::tools) struct Answer {
    /// The messages, oldest first.
    messages: Vec<Line>,
    /// Whether there are more: go on with after the last seq, or before the first.
    more: bool,
    /// The version of the conversation that they were read from.
    version: u64,
}

pub(super) fn tool() -> Tool {
    schema::tool::<Given, Answer>(Description {
        name: NAME,
        title: "Read messages of a conversation",
        text: "Returns messages of one of the user's conversations, oldest first: the newest 20, or those after or \
               before a place.",
        effect: Effect::Reads,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, given: Given) -> Result<Answer> {
    let read = ReadMessages { after: given.after, before: given.before, limit: Some(arguments::limit(given.limit)?) };
    let page = backend.conversation_messages(&given.id, read).await?;
    Ok(Answer { messages: Line::all(page.messages), more: page.more, version: page.version })
}
