//! Conversations and messages as tools show them.

use mainstay_api::conversations::{ConversationSummary, Kind, Message, MessageState, Role, Status};
use mainstay_api::{ConversationId, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

/// A conversation without its messages.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp::tools) struct Shown {
    /// The id, for every other tool about it.
    pub id: ConversationId,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// How it stands.
    pub status: Status,
    /// Grows with every change; give it as expected_version to write only to what you have seen.
    pub version: u64,
    /// How many messages it has; also the seq of the last one.
    pub message_count: u64,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it ends; absent where it is kept until it is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Whether somebody has taken the turn now, so that nobody else can append.
    pub turn_taken: bool,
}

impl Shown {
    pub(super) fn of(summary: ConversationSummary) -> Self {
        Self {
            turn_taken: summary.turn.is_some(),
            id: summary.id,
            title: summary.title,
            status: summary.status,
            version: summary.version,
            message_count: summary.message_count,
            updated_at: summary.updated_at,
            expires_at: summary.expires_at,
        }
    }
}

/// A message.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp::tools) struct Line {
    /// Its place in the conversation, from 1.
    pub seq: u64,
    /// Who says it.
    pub role: Role,
    /// What it is made of, such as text or adaptiveCard.
    pub kind: Kind,
    /// The text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The card, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<Map<String, Value>>,
    /// What was understood of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extracted_payload: Option<Map<String, Value>>,
    /// When it was stored.
    pub at: Timestamp,
    /// pending while the agent works on its answer, failed where there was none; absent where nothing is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<MessageState>,
}

impl Line {
    pub(super) fn all(messages: Vec<Message>) -> Vec<Self> {
        let line = |message: Message| Self {
            seq: message.seq,
            role: message.content.role,
            kind: message.content.kind,
            text: message.content.text,
            card: message.content.card_json,
            extracted_payload: message.content.extracted_payload,
            at: message.at,
            state: message.state,
        };
        messages.into_iter().map(line).collect()
    }
}
