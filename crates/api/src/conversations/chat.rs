//! Saying something, and being answered.

use super::Message;
use crate::ConversationId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What the user says. It is stored, the agent is asked, and its answer is stored, all under one turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SendText {
    /// The text, at least one character.
    pub text: String,
    /// What the client knows of the workflow, an object for the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub workflow_context: Option<Map<String, Value>>,
}

/// The answer of the agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Answered {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// What the agent said: the new messages alone.
    pub messages: Vec<Message>,
    /// The state of the workflow after it: `step`, `turnCount`, `status`, and what else agents and clients keep there.
    pub workflow_state: Value,
    /// The version of the conversation after it.
    pub version: u64,
    /// Whether this was a repetition: an earlier call with the same request id had been answered.
    pub replayed: bool,
}
