//! The nine messages of a hub.

use crate::Value;
use std::collections::BTreeMap;

/// Headers of a message. Nothing of ours is told by them; they are kept for whoever wants them.
pub type Headers = BTreeMap<String, String>;

/// What one side tells the other. The numbers are those of the wire.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// 1: calls a method. Without an invocation id it is never answered.
    Invocation(Invocation),
    /// 2: one item of a stream, downloaded (the id of the invocation) or uploaded (the id of the stream).
    StreamItem {
        /// Headers.
        headers: Headers,
        /// The invocation or the stream that it belongs to.
        invocation_id: String,
        /// The item.
        item: Value,
    },
    /// 3: ends an invocation, or a stream.
    Completion(Completion),
    /// 4: calls a method that answers with a stream. It always has an invocation id.
    StreamInvocation(Invocation),
    /// 5: asks that a stream that was called for ends.
    CancelInvocation {
        /// Headers.
        headers: Headers,
        /// The invocation.
        invocation_id: String,
    },
    /// 6: says that its sender is there.
    Ping,
    /// 7: ends the connection.
    Close {
        /// Why; absent where nothing went wrong.
        error: Option<String>,
        /// Whether the receiver may connect again by itself.
        allow_reconnect: bool,
    },
    /// 8: all messages up to this one have arrived.
    Ack {
        /// The last message that arrived.
        sequence_id: u64,
    },
    /// 9: after a stateful reconnect, which message comes next.
    Sequence {
        /// The number of the next message.
        sequence_id: u64,
    },
}

/// A call of a method.
#[derive(Debug, Clone, PartialEq)]
pub struct Invocation {
    /// Headers.
    pub headers: Headers,
    /// Under which id it is answered; never empty.
    pub invocation_id: Option<String>,
    /// The method.
    pub target: String,
    /// What it is called with.
    pub arguments: Vec<Value>,
    /// Streams that the caller uploads, as further arguments.
    pub stream_ids: Vec<String>,
}

/// The end of an invocation or of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// Headers.
    pub headers: Headers,
    /// The invocation or the stream that has ended.
    pub invocation_id: String,
    /// How.
    pub outcome: Outcome,
}

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Without a result.
    Void,
    /// With a result.
    Value(Value),
    /// With an error.
    Error(String),
}

impl Invocation {
    /// A call that is not answered.
    #[must_use]
    pub fn send(target: impl Into<String>, arguments: Vec<Value>) -> Self {
        let target = target.into();
        Self { headers: Headers::new(), invocation_id: None, target, arguments, stream_ids: Vec::new() }
    }
}

impl Message {
    /// The end of an invocation.
    #[must_use]
    pub fn completion(invocation_id: impl Into<String>, outcome: Outcome) -> Self {
        let invocation_id = invocation_id.into();
        Self::Completion(Completion { headers: Headers::new(), invocation_id, outcome })
    }

    /// One item of a stream.
    #[must_use]
    pub fn item(invocation_id: impl Into<String>, item: Value) -> Self {
        Self::StreamItem { headers: Headers::new(), invocation_id: invocation_id.into(), item }
    }

    /// Whether a stateful reconnect counts this message, and repeats it until it is acknowledged.
    #[must_use]
    pub fn is_sequenced(&self) -> bool {
        !matches!(self, Self::Ping | Self::Close { .. } | Self::Ack { .. } | Self::Sequence { .. })
    }
}
