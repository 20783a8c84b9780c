//! `mail_read`.

use crate::mcp::tools::arguments::yes;
use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::view::FullMessage;
use crate::mcp::{Backend, Result};
use mainstay_api::MessageId;
use mainstay_api::mail::MarkRead;
use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::Deserialize;

pub(in crate::mcp::tools) const NAME: &str = "mail_read";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp::tools) struct Given {
    /// The message.
    id: MessageId,
    /// Whether to mark it as read, where you are a recipient.
    #[serde(default = "yes")]
    mark_read: bool,
}

pub(super) fn tool() -> Tool {
    schema::tool::<Given, FullMessage>(Description {
        name: NAME,
        title: "Read a message",
        text: "Returns one message in full, with who has read and acknowledged it, and marks it as read by you. \
               Reading does not acknowledge: call mail_ack once you have acted on it.",
        effect: Effect::Settles,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, given: Given) -> Result<FullMessage> {
    let message = backend.read(&given.id).await?;
    let unread = message.receipt.as_ref().is_some_and(|receipt| receipt.read_at.is_none());
    if given.mark_read && unread {
        backend.mark_read(MarkRead { ids: vec![given.id] }).await?;
    }
    Ok(FullMessage::of(message))
}
