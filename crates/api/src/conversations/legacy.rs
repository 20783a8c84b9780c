//! The bodies of the chat routes that web clients of the original know. Fields that a route does not know are passed
//! over, as they were there.

use super::{ConversationSummary, Message, Status};
use crate::ConversationId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A chat that has begun.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChatStarted {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The state of its workflow.
    pub workflow_state: Value,
}

/// A text of the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChatSend {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The text, at least one character.
    pub text: String,
    /// What the client knows of the workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub workflow_context: Option<Map<String, Value>>,
}

/// What the user did with a card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChatCardAction {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The card.
    pub card_id: String,
    /// What the user did, in words.
    pub user_summary: String,
    /// What the card submits.
    #[schema(value_type = Object)]
    pub submit_data: Map<String, Value>,
}

/// The answer to a text or a card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChatAnswer {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The new messages of the agent.
    pub messages: Vec<Message>,
    /// The state of the workflow after them.
    pub workflow_state: Value,
}

/// Which of the caller's conversations to list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChatList {
    /// Conversations on the page: 1 to 50, 20 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where the page before this one ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Only those of this status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
}

/// A page of conversations, the one that changed last first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChatListed {
    /// The conversations, without their messages.
    pub conversations: Vec<ConversationSummary>,
    /// Where the page ended; `null` where nothing follows.
    pub next_cursor: Option<String>,
}

/// A new status.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ChatStatus {
    /// The status.
    pub status: Status,
}

/// A conversation whose status was changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChatStatusChanged {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// Its status.
    pub status: Status,
    /// What else lists show of it.
    pub conversation: ConversationSummary,
}
