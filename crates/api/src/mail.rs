//! Mail between instances: requests and responses.

use crate::{InstanceId, MessageId, MessageType, Position, Timestamp};
use serde::{Deserialize, Serialize};

/// Longest subject, in bytes.
pub const MAX_SUBJECT_BYTES: usize = 1_000;
/// Longest body, in bytes.
pub const MAX_BODY_BYTES: usize = 256 * 1_024;
/// Most recipients that one message names.
pub const MAX_RECIPIENTS: usize = 100;
/// Most attachments that one message refers to.
pub const MAX_ATTACHMENTS: usize = 32;
/// Longest comment of an acknowledgement, in bytes.
pub const MAX_COMMENT_BYTES: usize = 8 * 1_024;
/// Most messages on one page.
pub const MAX_PAGE: u32 = 1_000;
/// Messages on a page when the caller does not say.
pub const DEFAULT_PAGE: u32 = 100;
/// Longest long poll, in milliseconds.
pub const MAX_WAIT_MS: u64 = 60_000;

/// The 16 types of the founding document, in its order.
pub const TYPES: [&str; 16] = [
    "READY_FOR_REVIEW",
    "REVIEW_COMPLETE",
    "REVIEW_FAILED",
    "CONTRACT_CHANGE_PROPOSED",
    "CONTRACT_REVIEW_NEEDED",
    "CONTRACT_FEEDBACK",
    "CONTRACT_APPROVED",
    "CONTRACT_REJECTED",
    "META_CHANGE_REQUEST",
    "META_CHANGE_COMPLETE",
    "INTERFACE_UPDATE",
    "BLOCKING_ISSUE",
    "GENERAL",
    "STATUS_UPDATE",
    "HEARTBEAT",
    "NOTIFICATION",
];
/// The types that the original added later, in its order; with [`TYPES`] the 26 of its MCP server.
pub const LATER_TYPES: [&str; 10] = [
    "DEVOPS_STARTED",
    "DEVOPS_STEP_UPDATE",
    "DEVOPS_COMPLETE",
    "DEVOPS_FAILED",
    "SESSION_START",
    "SESSION_END",
    "SWARM_STARTED",
    "SWARM_REVIEWER_COMPLETE",
    "SWARM_COMPLETE",
    "SWARM_FAILED",
];
/// The types that stood only in the scripts, in files or in the documentation of the original.
pub const FILE_TYPES: [&str; 8] = [
    "CONTRACT_CHANGE_ACK",
    "CONTRACT_PUBLISHED",
    "READY_FOR_MERGE",
    "BUILD_BROKEN",
    "BUILD_FIXED",
    "DEVOPS_REQUEST",
    "PERMISSION_FORWARD",
    "WORKTREE_CONFLICT",
];

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

/// The answer to a send.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct Sent {
    /// The message as it was stored.
    pub message: Message,
    /// Whether this was a repetition: the message had been stored by an earlier call with the same request id.
    pub replayed: bool,
}

/// Which messages to list. Filters are combined with *and*.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::IntoParams, schemars::JsonSchema)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListMessages {
    /// Only the inbox of this instance, broadcasts included; `all` for broadcasts alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub recipient: Option<InstanceId>,
    /// Only messages from this instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub sender: Option<InstanceId>,
    /// Only messages of this type.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub kind: Option<MessageType>,
    /// Only messages of this thread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub thread: Option<MessageId>,
    /// Only messages that wait for an acknowledgement: the recipient's, or anyone's where no recipient is named.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pending: bool,
    /// Only messages sent at or after this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
    /// Only messages sent before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
    /// Only messages whose subject contains this text, whatever the case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Oldest first instead of newest first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub oldest_first: bool,
    /// Messages on the page: 1 to 1,000, 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where the page before this one ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Include the receipt of every recipient.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub receipts: bool,
}

/// Where to begin reading an inbox.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[derive(schemars::JsonSchema)]
#[schemars(with = "String")]
pub enum Start {
    /// With the oldest message that the recipient has not read; read ones are passed over.
    #[default]
    Unread,
    /// With the oldest message kept.
    Oldest,
    /// With the next message to arrive.
    Now,
    /// After a position that an earlier answer gave.
    After(Position),
}

crate::text::string_schema!(Start, "unread");

impl std::fmt::Display for Start {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unread => f.write_str("unread"),
            Self::Oldest => f.write_str("oldest"),
            Self::Now => f.write_str("now"),
            Self::After(position) => position.fmt(f),
        }
    }
}

impl std::str::FromStr for Start {
    type Err = crate::text::InvalidText;
    fn from_str(value: &str) -> Result<Self, Self::Err> {
        match value {
            "unread" => Ok(Self::Unread),
            "oldest" => Ok(Self::Oldest),
            "now" => Ok(Self::Now),
            other => other.parse().map(Self::After).map_err(|_| crate::text::InvalidText {
                what: "start",
                rule: format!("{other:?} is none of unread, oldest, now, or a position (epoch:offset)"),
            }),
        }
    }
}

impl TryFrom<String> for Start {
    type Error = crate::text::InvalidText;
    fn try_from(value: String) -> Result<Self, Self::Error> {
        value.parse()
    }
}

impl From<Start> for String {
    fn from(value: Start) -> String {
        value.to_string()
    }
}

/// Reads an inbox from a position, and may wait for mail.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::IntoParams, schemars::JsonSchema)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ReadInbox {
    /// Where to begin: `unread`, `oldest`, `now`, or the `position` of an earlier answer.
    #[serde(default)]
    #[param(value_type = Option<String>, example = "unread")]
    pub after: Start,
    /// Messages at most: 1 to 1,000, 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// How long to wait when there is nothing yet, in milliseconds; at most 60,000, 0 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
    /// Only messages of this type.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub kind: Option<MessageType>,
    /// Only messages from this instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub sender: Option<InstanceId>,
    /// Mark what is returned as read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mark_read: bool,
}

/// Why a position could not be continued without loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gap {
    /// Messages after the position, not yet read, were dropped: they expired, or the inbox was full.
    Trimmed,
    /// The store was emptied or replaced since; reading began with the oldest unread message.
    NewEpoch,
}

/// What an inbox holds after a position, oldest first.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct Inbox {
    /// The messages, in the order of arrival.
    pub messages: Vec<Message>,
    /// Give this as `after` to read what follows.
    pub position: Position,
    /// Whether more can be read at once.
    pub more: bool,
    /// Set where something between `after` and the first message is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<Gap>,
}

/// How much mail an instance has.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema,
)]
pub struct InboxCounts {
    /// Messages in the inbox.
    pub total: u64,
    /// Messages not read.
    pub unread: u64,
    /// Messages that wait for this instance's acknowledgement.
    pub pending: u64,
}

/// Acknowledges a message.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AckMessage {
    /// A word to the sender, at most 8 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The recipient whose acknowledgement this is, where it is not the caller; recorded as given by the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<InstanceId>,
}

/// The answer to an acknowledgement.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct Acknowledged {
    /// The message, with the receipt that now stands.
    pub message: Message,
    /// The acknowledgement that stands: the first one given.
    pub ack: Ack,
    /// Whether it had been acknowledged before this call.
    pub already: bool,
}

/// Marks messages as read by the caller.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkRead {
    /// The messages, 1 to 1,000. Ids that are not in the caller's inbox are passed over.
    pub ids: Vec<MessageId>,
}

/// The answer to [`MarkRead`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct MarkedRead {
    /// How many of them were unread until now.
    pub marked: u32,
}

/// The mail of a namespace in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct MailStats {
    /// Messages kept.
    pub total_messages: u64,
    /// Messages for which an acknowledgement is still missing.
    pub pending_messages: u64,
    /// Messages kept, by type.
    pub messages_by_type: std::collections::BTreeMap<String, u64>,
    /// Instances that have sent or read mail here.
    pub instances: u64,
}

/// A whole message for an import or a mirror: the content with every acknowledgement, as another store had it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportMessage {
    /// What it says, id and time included.
    pub content: Content,
    /// The state by recipient.
    #[serde(default)]
    pub receipts: Vec<Receipt>,
    /// Whether nobody needs to acknowledge it any more.
    #[serde(default)]
    pub settled: bool,
}

/// Messages to import, at most 500 at a time.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportMessages {
    /// The messages, oldest first.
    pub messages: Vec<ImportMessage>,
    /// Say what would happen, write nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// What became of one imported message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Imported {
    /// It was not there and is now.
    Created,
    /// It was there; acknowledgements were added to it.
    Updated,
    /// It was there, the same.
    Unchanged,
    /// Another message with the same id is there; nothing was written.
    Conflict,
}

/// The answer to an import: one outcome for each message, in the same order.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ImportOutcomes {
    /// The outcomes.
    pub outcomes: Vec<Imported>,
}

/// A type that messages may have.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct MessageTypes {
    /// Every type that a send accepts, in a stable order.
    pub types: Vec<String>,
}
