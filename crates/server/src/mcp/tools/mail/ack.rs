//! `mail_ack`.

use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::{Backend, Result};
use mainstay_api::mail::AckMessage;
use mainstay_api::{InstanceId, MessageId, Timestamp};
use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(in crate::mcp::tools) const NAME: &str = "mail_ack";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp::tools) struct Given {
    /// The message.
    id: MessageId,
    /// A word to the sender, at most 8 KiB.
    comment: Option<String>,
    /// The recipient whose acknowledgement this is, where it is not you; it is recorded as given by you.
    on_behalf_of: Option<InstanceId>,
}

/// The acknowledgement that stands: the first one given.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp::tools) struct Answer {
    /// The message.
    id: MessageId,
    /// Who gave it.
    by: InstanceId,
    /// When.
    at: Timestamp,
    /// With which words.
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    /// Whether it had been given before this call.
    already: bool,
}

pub(super) fn tool() -> Tool {
    schema::tool::<Given, Answer>(Description {
        name: NAME,
        title: "Acknowledge a message",
        text: "Tells the sender that you have dealt with a message, with a comment if you like; also marks it as read. \
               The first acknowledgement stands. It counts for you alone, also for a broadcast.",
        effect: Effect::Settles,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, given: Given) -> Result<Answer> {
    let ack = AckMessage { comment: given.comment, on_behalf_of: given.on_behalf_of };
    let acknowledged = backend.acknowledge(&given.id, ack).await?;
    let ack = acknowledged.ack;
    Ok(Answer { id: given.id, by: ack.by, at: ack.at, comment: ack.comment, already: acknowledged.already })
}
