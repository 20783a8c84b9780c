//! `mail_send`.

use crate::mcp::tools::arguments::{one_or_many, yes};
use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::{Backend, Result};
use mainstay_api::ids::RequestId;
use mainstay_api::mail::{Attachment, Priority, SendMessage};
use mainstay_api::{InstanceId, MessageId, MessageType, Position, Timestamp};
use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(in crate::mcp::tools) const NAME: &str = "mail_send";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp::tools) struct Given {
    /// Who is to receive it: 1 to 100 instance names (presence_list knows them), or "all" alone for everyone.
    #[serde(deserialize_with = "one_or_many")]
    #[schemars(length(min = 1, max = 100))]
    to: Vec<InstanceId>,
    /// One line that says what it is about, at most 1,000 bytes.
    subject: String,
    /// The text, Markdown, at most 256 KiB. Refer to larger content by attachments.
    #[serde(default)]
    body: String,
    /// The type, such as READY_FOR_REVIEW; mail_types lists them. GENERAL when absent.
    #[serde(rename = "type")]
    kind: Option<MessageType>,
    /// The message that this replies to.
    reply_to: Option<MessageId>,
    /// The thread it belongs to; that of the message it replies to when absent.
    thread: Option<MessageId>,
    /// How urgent it is; normal when absent.
    priority: Option<Priority>,
    /// Files it refers to, at most 32; their content stays where it is.
    #[serde(default)]
    #[schemars(length(max = 32))]
    attachments: Vec<Attachment>,
    /// Whether each recipient is asked to acknowledge it. Say false for what needs no answer.
    #[serde(default = "yes")]
    requires_ack: bool,
    /// When it disappears, RFC 3339; after the server's retention when absent.
    expires_at: Option<Timestamp>,
    /// The id to give the message; made by the server when absent.
    id: Option<MessageId>,
    /// An id of your own for this call. A repetition with the same request_id and content sends nothing twice.
    request_id: Option<RequestId>,
}

/// What was sent.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp::tools) struct Answer {
    /// The id of the message.
    id: MessageId,
    /// When it was sent.
    timestamp: Timestamp,
    /// The thread it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    thread: Option<MessageId>,
    /// Inboxes that it was put into. A broadcast reaches later members too.
    delivered: u32,
    /// Its place in the log.
    position: Position,
    /// Whether an earlier call with the same request_id had sent it.
    replayed: bool,
}

pub(super) fn tool() -> Tool {
    schema::tool::<Given, Answer>(Description {
        name: NAME,
        title: "Send mail",
        text: "Sends a message to one or more instances, or to everyone. It is stored before this returns; recipients \
               that wait are woken. The sender is always you.",
        effect: Effect::Adds,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, given: Given) -> Result<Answer> {
    let usual = SendMessage::new(given.to, given.subject);
    let send = SendMessage {
        id: given.id,
        kind: given.kind.unwrap_or_else(|| usual.kind.clone()),
        body: given.body,
        thread: given.thread,
        reply_to: given.reply_to,
        priority: given.priority.unwrap_or_default(),
        attachments: given.attachments,
        requires_ack: given.requires_ack,
        expires_at: given.expires_at,
        ..usual
    };
    let sent = backend.send(given.request_id, send).await?;
    let message = sent.message;
    Ok(Answer {
        id: message.content.id,
        timestamp: message.content.timestamp,
        thread: message.content.thread,
        delivered: message.delivery.delivered,
        position: message.position,
        replayed: sent.replayed,
    })
}
