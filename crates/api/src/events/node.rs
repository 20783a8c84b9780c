//! What one node does for live clients.

use super::{EventPosition, StreamName};
use serde::{Deserialize, Serialize};

/// What the node that answers does for live clients. Counts are those since it started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct LiveNode {
    /// This run of the node.
    pub node: String,
    /// Live connections now.
    pub connections: u64,
    /// Their subscriptions to rooms now.
    pub subscriptions: u64,
    /// Bytes that wait for them now.
    pub waiting_bytes: u64,
    /// Events that were published by way of this node, each once.
    pub published: u64,
    /// Events that were put into the queues of connections.
    pub delivered: u64,
    /// Events that were left out for slow connections.
    pub conflated: u64,
    /// Connections that were closed because they were slow.
    pub slow_closed: u64,
    /// Gaps that clients were told of.
    pub gaps: u64,
    /// The logs of the namespace that the node follows, because somebody is subscribed to a room in them.
    pub logs: Vec<FollowedLog>,
}

/// A log that a node follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct FollowedLog {
    /// The stream.
    pub stream: StreamName,
    /// The partition.
    pub partition: u16,
    /// Up to where the node has read it.
    pub position: EventPosition,
    /// Milliseconds between that and the last event of the log; 0 where the node has everything.
    pub behind_ms: u64,
}
