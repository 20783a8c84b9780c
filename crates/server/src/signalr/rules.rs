//! How long connections may be silent, and how much they may hold.

use mainstay_signalr::{Limits, sequence};
use std::time::Duration;

/// Time-outs and bounds of connections. The times are those that clients of the protocol expect by default.
#[derive(Debug, Clone)]
pub struct SignalrRules {
    /// How long the server says nothing before it pings.
    pub keep_alive: Duration,
    /// How long a client that pings may say nothing.
    pub client_timeout: Duration,
    /// How long the handshake may take.
    pub handshake_timeout: Duration,
    /// How long a connection without a transport is kept: between two polls, or until a stateful reconnect.
    pub disconnect_timeout: Duration,
    /// How long a poll waits.
    pub poll_timeout: Duration,
    /// How long a client may take to answer a call of the server.
    pub result_timeout: Duration,
    /// How long a connection that was negotiated waits for its first request.
    pub negotiated_for: Duration,
    /// Bounds of each message.
    pub limits: Limits,
    /// What may wait for a client that reads slowly, in bytes; past it the connection is closed.
    pub queue_bytes: usize,
    /// What may be unacknowledged with stateful reconnect, in bytes.
    pub unacknowledged_bytes: usize,
    /// Calls of one client that wait for their turn, and streams that it has open.
    pub max_calls: usize,
}

impl Default for SignalrRules {
    fn default() -> Self {
        Self {
            keep_alive: Duration::from_secs(15),
            client_timeout: Duration::from_secs(30),
            handshake_timeout: Duration::from_secs(15),
            disconnect_timeout: Duration::from_secs(15),
            poll_timeout: Duration::from_secs(90),
            result_timeout: Duration::from_secs(30),
            negotiated_for: Duration::from_secs(60),
            // What the founding system takes. An event that is too large is then refused, and not its connection.
            limits: Limits::default().with_message_bytes(1_024 * 1_024),
            queue_bytes: 1_024 * 1_024,
            unacknowledged_bytes: sequence::BUFFER_BYTES,
            max_calls: 32,
        }
    }
}
