//! `mail_inbox`.

use crate::mcp::tools::arguments;
use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::view::InboxPage;
use crate::mcp::{Backend, Result};
use mainstay_api::mail::{ReadInbox, Start};
use mainstay_api::{InstanceId, MessageType};
use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::Deserialize;

pub(in crate::mcp::tools) const NAME: &str = "mail_inbox";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp::tools) struct Given {
    /// Where to begin: "unread" (when absent), "oldest", "now", or the position of an earlier answer.
    #[serde(default)]
    after: Start,
    /// Only messages of this type.
    #[serde(rename = "type")]
    kind: Option<MessageType>,
    /// Only messages from this instance.
    sender: Option<InstanceId>,
    /// Messages at most: 1 to 100, 20 when absent.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
    /// Mark what is returned as read, before you get it: an answer that is lost is not returned as unread again. To be
    /// sure, leave it out and call mail_mark_read.
    #[serde(default)]
    mark_read: bool,
}

pub(super) fn tool() -> Tool {
    schema::tool::<Given, InboxPage>(Description {
        name: NAME,
        title: "Inbox",
        text: "Returns your mail in the order of arrival, unread mail unless you say where to begin, with bodies cut \
               short. Read a message in full with mail_read.",
        effect: Effect::Settles,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, given: Given) -> Result<InboxPage> {
    let read = ReadInbox {
        after: given.after,
        limit: Some(arguments::limit(given.limit)?),
        wait_ms: None,
        kind: given.kind,
        sender: given.sender,
        mark_read: given.mark_read,
    };
    Ok(InboxPage::of(backend.inbox(read).await?))
}
