//! Bounds of live connections.

use std::time::Duration;

/// Time-outs and bounds of WebSockets and streams of events.
#[derive(Debug, Clone)]
pub struct LiveRules {
    /// How long the server says nothing before it gives a sign of life.
    pub keep_alive: Duration,
    /// How long a client may say nothing at all, pongs included.
    pub idle_timeout: Duration,
    /// What may wait for a client that reads slowly, in bytes.
    pub queue_bytes: usize,
    /// Largest message of a client, in bytes.
    pub max_message_bytes: usize,
    /// Subscriptions of one connection.
    pub max_subscriptions: usize,
    /// Connections of one principal at a node; the owner may have them all.
    pub max_per_principal: usize,
}

impl Default for LiveRules {
    /// 15 s, 45 s, 1 MiB, 256 KiB, 256 subscriptions, 1,024 connections.
    fn default() -> Self {
        Self {
            keep_alive: Duration::from_secs(15),
            idle_timeout: Duration::from_secs(45),
            queue_bytes: 1_024 * 1_024,
            max_message_bytes: 256 * 1_024,
            max_subscriptions: 256,
            max_per_principal: 1_024,
        }
    }
}
