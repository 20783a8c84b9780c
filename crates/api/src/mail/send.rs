//! Sending.

use super::{Attachment, Message, Priority};
use crate::{InstanceId, MessageId, MessageType, Timestamp};
use serde::{Deserialize, Serialize};

/// A message to send. The sender is the caller; the time is the server's.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendMessage {
    /// The id to give the message; made by the server when absent. An id that exists is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
    /// Who is to receive it: 1 to 100 instances, or `all` alone for everyone in the namespace.
    pub to: Vec<InstanceId>,
    /// The type; `GENERAL` when absent.
    #[serde(rename = "type", default = "general")]
    pub kind: MessageType,
    /// One line, at most 1,000 bytes.
    pub subject: String,
    /// The text, Markdown, at most 256 KiB.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// The thread it belongs to; that of the message it replies to when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<MessageId>,
    /// The message it replies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// How urgent it is.
    #[serde(default)]
    pub priority: Priority,
    /// Files it refers to, at most 32.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// Whether each recipient is asked to acknowledge it.
    #[serde(default = "yes")]
    pub requires_ack: bool,
    /// When it disappears; after the retention of the server when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

fn general() -> MessageType {
    MessageType::parse("GENERAL").expect("a constant type is valid")
}

fn yes() -> bool {
    true
}

impl SendMessage {
    /// A message with the usual choices: type `GENERAL`, acknowledgement asked for.
    #[must_use]
    pub fn new(to: Vec<InstanceId>, subject: impl Into<String>) -> Self {
        Self {
            id: None,
            to,
            kind: general(),
            subject: subject.into(),
            body: String::new(),
            thread: None,
            reply_to: None,
            priority: Priority::Normal,
            attachments: Vec::new(),
            requires_ack: true,
            expires_at: None,
        }
    }
}

/// The answer to a send.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct Sent {
    /// The message as it was stored.
    pub message: Message,
    /// Whether this was a repetition: the message had been stored by an earlier call with the same request id.
    pub replayed: bool,
}
