//! A message and its state.

use crate::{InstanceId, MessageId, MessageType, Position, Timestamp};
use serde::{Deserialize, Serialize};

/// How urgent a message is. Does not change the order of delivery.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Can wait.
    Low,
    /// The usual.
    #[default]
    Normal,
    /// Soon.
    High,
    /// Now.
    Urgent,
}

impl Priority {
    /// Whether this is the usual priority, which is left out of stored messages.
    #[must_use]
    pub fn is_normal(&self) -> bool {
        *self == Self::Normal
    }
}

/// A file that a message refers to. The content stays where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// Where it is: a URI or a path, at most 2,000 bytes.
    pub uri: String,
    /// What to call it, at most 300 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its media type, such as `text/x-diff`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Its size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// Its SHA-256 in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// What a message says: everything that never changes once it is sent. This is also the form in which the stores
/// keep it, as opaque bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct Content {
    /// The id.
    pub id: MessageId,
    /// The type.
    #[serde(rename = "type")]
    pub kind: MessageType,
    /// Who sent it.
    pub from: InstanceId,
    /// Who it was addressed to.
    pub to: Vec<InstanceId>,
    /// When it was sent.
    pub timestamp: Timestamp,
    /// One line.
    pub subject: String,
    /// The text, Markdown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// The thread it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<MessageId>,
    /// The message it replies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// How urgent it is.
    #[serde(default, skip_serializing_if = "Priority::is_normal")]
    pub priority: Priority,
    /// Files it refers to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// Whether each recipient is asked to acknowledge it.
    pub requires_ack: bool,
    /// When it disappears, where the sender said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl Content {
    /// Whether it was sent to everyone.
    #[must_use]
    pub fn is_broadcast(&self) -> bool {
        self.to.iter().any(InstanceId::is_all)
    }
}

/// An acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct Ack {
    /// Who acknowledged: the recipient, or who did it on its behalf.
    pub by: InstanceId,
    /// When.
    pub at: Timestamp,
    /// What they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// The state of a message for one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct Receipt {
    /// The recipient.
    pub recipient: InstanceId,
    /// When the recipient read it, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
    /// The acknowledgement, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ack: Option<Ack>,
}

/// How many recipients a message has reached.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema,
)]
pub struct Delivery {
    /// Inboxes it was put into.
    pub delivered: u32,
    /// Recipients that have read it.
    pub read: u32,
    /// Recipients that have acknowledged it.
    pub acknowledged: u32,
}

/// A message and its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct Message {
    /// What it says.
    #[serde(flatten)]
    pub content: Content,
    /// Its place in the log: give it as `after` to read what follows.
    pub position: Position,
    /// For a recipient: whether this recipient has acknowledged it. For anyone else: whether every recipient has.
    pub acknowledged: bool,
    /// How far it has got.
    pub delivery: Delivery,
    /// The caller's own receipt, where the caller is a recipient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
    /// The receipt of every recipient; only where one message is read, or an export.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipts: Option<Vec<Receipt>>,
    /// Set on a message imported from a store where one acknowledgement of a broadcast counted for everyone, and
    /// that had been given.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub settled: bool,
}
