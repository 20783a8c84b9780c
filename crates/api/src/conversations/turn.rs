//! The exclusive right to write to a conversation for a while.

use crate::{ConversationId, Timestamp};
use serde::{Deserialize, Serialize};

/// Takes the turn: until it ends nobody else can append.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TakeTurn {
    /// What the taker calls itself, for those who find the turn taken; at most 200 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// How long the turn lasts unless it is renewed, in milliseconds: 1,000 to 600,000, 30,000 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_ms: Option<u64>,
}

/// The turn that the caller has taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Turn {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The fencing token: greater than that of every earlier turn of the conversation. Give it with each append.
    pub turn: u64,
    /// Until when the turn lasts.
    pub until: Timestamp,
}

/// Prolongs the turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RenewTurn {
    /// The fencing token of the turn.
    pub turn: u64,
    /// How long it lasts from now on, in milliseconds: 1,000 to 600,000, 30,000 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_ms: Option<u64>,
}

/// Ends the turn.
#[derive(
    Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::IntoParams, utoipa::ToSchema, schemars::JsonSchema,
)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EndTurn {
    /// The fencing token of the turn.
    pub turn: u64,
}

/// The answer to the end of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndedTurn {
    /// Whether it was still running.
    pub ended: bool,
}
