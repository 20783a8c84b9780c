//! `mail_wait`.

use crate::mcp::tools::arguments::{self, invalid};
use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::view::InboxPage;
use crate::mcp::{Backend, Result};
use mainstay_api::mail::{MAX_WAIT_MS, ReadInbox, Start};
use mainstay_api::{InstanceId, MessageType};
use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::Deserialize;

pub(in crate::mcp::tools) const NAME: &str = "mail_wait";

/// How long to wait where the caller does not say: well below the minute after which clients give a call up.
const DEFAULT_WAIT_MS: u64 = 25_000;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp::tools) struct Given {
    /// How long to wait, in milliseconds: at most 60000, 25000 when absent.
    #[schemars(range(max = 60_000))]
    wait_ms: Option<u64>,
    /// Where to begin: "unread" (when absent), "now", "oldest", or the position of an earlier answer. Pass the
    /// position on from call to call, and no message is skipped or seen twice.
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
        title: "Wait for mail",
        text: "Waits until there is mail for you and returns it at once, as mail_inbox does; returns no messages when \
               the time is over. To go on waiting, call it again with after set to the position it returned.",
        effect: Effect::Settles,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, given: Given) -> Result<InboxPage> {
    let wait_ms = given.wait_ms.unwrap_or(DEFAULT_WAIT_MS);
    if wait_ms > MAX_WAIT_MS {
        return Err(invalid(format!("wait_ms: {wait_ms}; wait at most {MAX_WAIT_MS}, and call again")));
    }
    let read = ReadInbox {
        after: given.after,
        limit: Some(arguments::limit(given.limit)?),
        wait_ms: Some(wait_ms),
        kind: given.kind,
        sender: given.sender,
        mark_read: given.mark_read,
    };
    Ok(InboxPage::of(backend.inbox(read).await?))
}
