//! `mail_list`.

use crate::mcp::tools::arguments;
use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::view::Summary;
use crate::mcp::{Backend, Result};
use mainstay_api::mail::ListMessages;
use mainstay_api::{InstanceId, MessageId, MessageType, Timestamp};
use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(in crate::mcp::tools) const NAME: &str = "mail_list";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp::tools) struct Given {
    /// Only the inbox of this instance, broadcasts included; "all" for broadcasts alone.
    recipient: Option<InstanceId>,
    /// Only messages from this instance.
    sender: Option<InstanceId>,
    /// Only messages of this type.
    #[serde(rename = "type")]
    kind: Option<MessageType>,
    /// Only messages of this thread.
    thread: Option<MessageId>,
    /// Only messages that wait for an acknowledgement: the recipient's, or anyone's where no recipient is named.
    #[serde(default)]
    pending: bool,
    /// Only messages sent at or after this time, RFC 3339.
    since: Option<Timestamp>,
    /// Only messages sent before this time, RFC 3339.
    until: Option<Timestamp>,
    /// Only messages whose subject contains this text, whatever the case.
    subject: Option<String>,
    /// Oldest first instead of newest first.
    #[serde(default)]
    oldest_first: bool,
    /// Messages on the page: 1 to 100, 20 when absent.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
    /// The next of the page before this one.
    cursor: Option<String>,
}

/// One page of messages.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp::tools) struct Answer {
    /// The messages, newest first unless asked otherwise.
    messages: Vec<Summary>,
    /// Pass this as cursor for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

pub(super) fn tool() -> Tool {
    schema::tool::<Given, Answer>(Description {
        name: NAME,
        title: "List mail",
        text: "Lists the team's messages, newest first, with every filter and in pages; bodies are cut short. Your own \
               new mail is quicker found with mail_inbox.",
        effect: Effect::Reads,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, given: Given) -> Result<Answer> {
    let list = ListMessages {
        recipient: given.recipient,
        sender: given.sender,
        kind: given.kind,
        thread: given.thread,
        pending: given.pending,
        since: given.since,
        until: given.until,
        subject: given.subject,
        oldest_first: given.oldest_first,
        limit: Some(arguments::limit(given.limit)?),
        cursor: given.cursor,
        receipts: false,
    };
    let page = backend.list(list).await?;
    Ok(Answer { messages: Summary::all(page.items), next: page.next })
}
