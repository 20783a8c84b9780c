//! A message of a conversation.

use crate::{MessageId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Who says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The user.
    User,
    /// The agent.
    Assistant,
    /// Who set the agent up.
    System,
    /// A tool that the agent used.
    Tool,
}

crate::text::text_type! {
    /// What a message is made of: `text`, `adaptiveCard`, or a name of letters, digits and `_.-` that clients agree on.
    Kind, "message kind", 64, |value| {
        let valid = value.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
        valid.then_some(()).ok_or_else(|| format!("{value:?} must be letters, digits, `_`, `.` and `-`"))
    }
}

impl Kind {
    /// A text.
    pub const TEXT: &'static str = "text";
    /// A card of the Adaptive Cards format.
    pub const ADAPTIVE_CARD: &'static str = "adaptiveCard";

    /// The kind of a text.
    #[must_use]
    pub fn text() -> Self {
        Self::parse(Self::TEXT).expect("a constant kind is valid")
    }

    /// The kind of a card.
    #[must_use]
    pub fn adaptive_card() -> Self {
        Self::parse(Self::ADAPTIVE_CARD).expect("a constant kind is valid")
    }
}

impl Default for Kind {
    fn default() -> Self {
        Self::text()
    }
}

/// A message to append. The place and the time are the server's. This is also the form in which the stores keep it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewMessage {
    /// The id, a UUID made by the server where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
    /// Who says it.
    pub role: Role,
    /// What it is made of; `text` where absent.
    #[serde(default)]
    pub kind: Kind,
    /// The text; needed where the kind is `text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The card; needed where the kind is `adaptiveCard`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub card_json: Option<Map<String, Value>>,
    /// The id of the card; needed where the kind is `adaptiveCard`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card_id: Option<String>,
    /// What was understood of the message: `source`, `confidence` and `data`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub extracted_payload: Option<Map<String, Value>>,
    /// Every other field, kept as it was given.
    #[serde(flatten)]
    #[schema(value_type = std::collections::BTreeMap<String, Value>)]
    pub extra: Map<String, Value>,
}

impl NewMessage {
    /// The fields of a stored message that the server writes; in a message to append they are passed over, so that
    /// what was read can be appended elsewhere.
    pub const SERVER_FIELDS: [&'static str; 4] = ["seq", "at", "turn", "state"];

    /// A text.
    #[must_use]
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        Self {
            id: None,
            role,
            kind: Kind::text(),
            text: Some(text.into()),
            card_json: None,
            card_id: None,
            extracted_payload: None,
            extra: Map::new(),
        }
    }
}

/// What is wrong with a message, or still open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MessageState {
    /// The turn that is to answer it goes on.
    Pending,
    /// The turn that was to answer it failed, or ended without an answer.
    Failed,
}

/// A message as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// What was said.
    #[serde(flatten)]
    pub content: NewMessage,
    /// Its place in the conversation, from 1 and without gaps.
    pub seq: u64,
    /// When it was stored.
    pub at: Timestamp,
    /// The fencing token of the turn in which it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u64>,
    /// What is wrong with it; absent where nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<MessageState>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_fields_and_long_numbers_survive() {
        let text = r#"{"id":"m1","role":"user","text":"hi","cost":12345678901234567,"deep":{"n":18446744073709551615,"f":0.1}}"#;
        let message: NewMessage = serde_json::from_str(text).unwrap();
        assert_eq!(message.kind, Kind::text());
        let stored = Message { content: message, seq: 7, at: Timestamp::from_millis(0), turn: Some(3), state: None };
        let again: Message = serde_json::from_str(&serde_json::to_string(&stored).unwrap()).unwrap();
        assert_eq!(again, stored);
        assert_eq!(again.content.extra["cost"].to_string(), "12345678901234567");
        assert_eq!(again.content.extra["deep"]["n"].to_string(), "18446744073709551615");
        assert_eq!(again.content.extra.len(), 2);
    }
}
