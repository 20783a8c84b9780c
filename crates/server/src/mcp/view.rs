//! Messages as tools and resources show them: small in listings, whole where one is read.

use mainstay_api::mail::{Attachment, Delivery, Gap, Inbox, Message, Priority, Receipt};
use mainstay_api::{InstanceId, MessageId, MessageType, Position, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

/// Characters of a body that a summary shows.
const PREVIEW_CHARS: usize = 280;
/// Most receipts that one message shows; a broadcast may have thousands.
const MAX_RECEIPTS: usize = 50;

/// A message in a listing. Read it in full with `mail_read`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Summary {
    /// The id, for mail_read and mail_ack.
    pub id: MessageId,
    /// The type.
    #[serde(rename = "type")]
    pub kind: MessageType,
    /// Who sent it.
    pub from: InstanceId,
    /// Who it was addressed to; "all" is everyone.
    pub to: Vec<InstanceId>,
    /// When it was sent.
    pub timestamp: Timestamp,
    /// What it is about.
    pub subject: String,
    /// The beginning of the body; it ends with "…" where the body goes on.
    pub preview: String,
    /// The size of the whole body, in bytes.
    pub body_bytes: usize,
    /// The thread it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<MessageId>,
    /// The message it replies to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// How urgent it is; normal where absent.
    #[serde(skip_serializing_if = "Priority::is_normal")]
    pub priority: Priority,
    /// Whether recipients are asked to acknowledge it.
    pub requires_ack: bool,
    /// For a recipient: whether you have acknowledged it. For anyone else: whether every recipient has.
    pub acknowledged: bool,
    /// Whether you have read it; absent where you are not a recipient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<bool>,
}

impl Summary {
    pub(super) fn of(message: Message) -> Self {
        let read = message.receipt.as_ref().map(|receipt| receipt.read_at.is_some());
        let content = message.content;
        Self {
            preview: preview(&content.body),
            body_bytes: content.body.len(),
            id: content.id,
            kind: content.kind,
            from: content.from,
            to: content.to,
            timestamp: content.timestamp,
            subject: content.subject,
            thread: content.thread,
            reply_to: content.reply_to,
            priority: content.priority,
            requires_ack: content.requires_ack,
            acknowledged: message.acknowledged,
            read,
        }
    }

    pub(super) fn all(messages: Vec<Message>) -> Vec<Self> {
        messages.into_iter().map(Self::of).collect()
    }
}

fn preview(body: &str) -> String {
    match body.char_indices().nth(PREVIEW_CHARS) {
        Some((end, _)) => format!("{}…", &body[..end]),
        None => body.to_owned(),
    }
}

/// A whole message.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct FullMessage {
    /// The id.
    pub id: MessageId,
    /// The type.
    #[serde(rename = "type")]
    pub kind: MessageType,
    /// Who sent it.
    pub from: InstanceId,
    /// Who it was addressed to; "all" is everyone.
    pub to: Vec<InstanceId>,
    /// When it was sent.
    pub timestamp: Timestamp,
    /// What it is about.
    pub subject: String,
    /// The text, Markdown.
    pub body: String,
    /// The thread it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<MessageId>,
    /// The message it replies to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// How urgent it is; normal where absent.
    #[serde(skip_serializing_if = "Priority::is_normal")]
    pub priority: Priority,
    /// Files it refers to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// Whether recipients are asked to acknowledge it.
    pub requires_ack: bool,
    /// For a recipient: whether you have acknowledged it. For anyone else: whether every recipient has.
    pub acknowledged: bool,
    /// When it disappears, where the sender said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Its place in the log.
    pub position: Position,
    /// How many recipients it has reached.
    pub delivery: Delivery,
    /// Who has read and acknowledged it, at most 50 recipients.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub receipts: Vec<Receipt>,
    /// How many receipts are not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipts_left_out: Option<usize>,
}

impl FullMessage {
    pub(super) fn of(message: Message) -> Self {
        let mut receipts = message.receipts.unwrap_or_default();
        let left_out = receipts.len().saturating_sub(MAX_RECEIPTS);
        receipts.truncate(MAX_RECEIPTS);
        let content = message.content;
        Self {
            id: content.id,
            kind: content.kind,
            from: content.from,
            to: content.to,
            timestamp: content.timestamp,
            subject: content.subject,
            body: content.body,
            thread: content.thread,
            reply_to: content.reply_to,
            priority: content.priority,
            attachments: content.attachments,
            requires_ack: content.requires_ack,
            acknowledged: message.acknowledged,
            expires_at: content.expires_at,
            position: message.position,
            delivery: message.delivery,
            receipts,
            receipts_left_out: (left_out > 0).then_some(left_out),
        }
    }
}

/// What an inbox holds after a position.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct InboxPage {
    /// The messages in the order of arrival; empty where there are none, and where a wait ended without mail.
    pub messages: Vec<Summary>,
    /// Pass this as after to get what follows.
    pub position: Position,
    /// Whether more can be read at once.
    pub more: bool,
    /// Set where something between after and the first message is gone: dropped, or the store was replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap: Option<Gap>,
}

impl InboxPage {
    pub(super) fn of(inbox: Inbox) -> Self {
        Self { messages: Summary::all(inbox.messages), position: inbox.position, more: inbox.more, gap: inbox.gap }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_ends_between_characters_and_says_that_the_body_goes_on() {
        assert_eq!(preview("short"), "short");
        assert_eq!(preview(&"é".repeat(280)), "é".repeat(280));
        assert_eq!(preview(&"é".repeat(281)), format!("{}…", "é".repeat(280)));
    }
}
