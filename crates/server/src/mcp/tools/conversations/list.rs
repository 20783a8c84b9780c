//! `conversation_list`.

use super::view::Shown;
use crate::mcp::tools::arguments;
use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::{Backend, Result};
use mainstay_api::conversations::{ListConversations, Status};
use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(in crate::mcp::tools) const NAME: &str = "conversation_list";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp::tools) struct Given {
    /// Only conversations of this status.
    status: Option<Status>,
    /// Conversations on the page: 1 to 100, 20 when absent.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
    /// The next of the page before this one.
    cursor: Option<String>,
}

/// One page of conversations.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp::tools) struct Answer {
    /// The conversations, the one that changed last first.
    conversations: Vec<Shown>,
    /// Pass this as cursor for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

pub(super) fn tool() -> Tool {
    schema::tool::<Given, Answer>(Description {
        name: NAME,
        title: "List conversations",
        text: "Lists the user's conversations, the one that changed last first, in pages and without their messages.",
        effect: Effect::Reads,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, given: Given) -> Result<Answer> {
    let limit = Some(arguments::limit(given.limit)?);
    let page = backend.conversations(ListConversations { status: given.status, limit, cursor: given.cursor }).await?;
    Ok(Answer { conversations: page.items.into_iter().map(Shown::of).collect(), next: page.next })
}
