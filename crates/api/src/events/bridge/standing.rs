//! What the bridge tells of those who are there.

use crate::events::MemberId;
use serde::{Deserialize, Serialize};

/// Whether a user is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserOnline {
    /// The user.
    pub user_id: MemberId,
    /// Whether the user shows in a room, at whatever node.
    pub is_online: bool,
    /// Over how many connections; one that shows in rooms of several streams counts in each.
    pub connection_count: u64,
}

/// How a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BridgeStats {
    /// Live connections at this node.
    pub connections: u64,
    /// Callers that they belong to; the owner of the installation is none of them.
    pub users: u64,
    /// Rooms that they are subscribed to.
    pub rooms: u64,
    /// Ids of events by which this node recognises repeats.
    pub idempotency_entries: u64,
}
