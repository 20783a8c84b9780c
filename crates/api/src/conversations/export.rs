//! Everything of a user, out and away.

use super::{Conversation, Message};
use crate::ConversationId;
use serde::{Deserialize, Serialize};

/// A line of an export: a conversation, followed by its messages in their order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ExportLine {
    /// A conversation.
    Conversation(Box<Conversation>),
    /// A message of it.
    #[serde(rename_all = "camelCase")]
    Message {
        /// The conversation.
        conversation_id: ConversationId,
        /// The message.
        message: Box<Message>,
    },
}

/// The answer to an erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErasedConversations {
    /// How many conversations are gone.
    pub conversations: u64,
}
