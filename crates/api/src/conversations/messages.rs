//! Appending messages, and reading them.

use super::{Message, NewMessage};
use crate::{ConversationId, Timestamp};
use serde::{Deserialize, Serialize};

/// Messages to append, all of them or none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AppendMessages {
    /// The messages, 1 to 100.
    pub messages: Vec<NewMessage>,
    /// Only where this is the version that stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<u64>,
    /// The fencing token of the turn that the caller has taken; needed while a turn is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u64>,
}

/// The answer to an append.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppendedMessages {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The messages as they were stored.
    pub messages: Vec<Message>,
    /// The version after the append.
    pub version: u64,
    /// When the conversation ends; absent where it is pinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Whether this was a repetition: the messages had been stored by an earlier call with the same request id.
    pub replayed: bool,
}

/// Which messages to read: the newest where neither `after` nor `before` is given. Always oldest first.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::IntoParams, schemars::JsonSchema)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReadMessages {
    /// The messages that follow this `seq`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// The messages that come before this `seq`, the nearest ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// Messages on the page: 1 to 1,000, 20 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A page of messages, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessagePage {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The messages.
    pub messages: Vec<Message>,
    /// Whether there are more in the direction of reading. Go on with `after` the last, or `before` the first `seq`.
    pub more: bool,
    /// The version of the conversation that these messages were read from.
    pub version: u64,
    /// How many messages the conversation has.
    pub message_count: u64,
    /// When the conversation ends; absent where it is pinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}
