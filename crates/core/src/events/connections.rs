//! What connections that span requests need from a store, so that any node can serve any request of them.

use crate::error::Result;
use async_trait::async_trait;
use bytes::Bytes;
use mainstay_api::Timestamp;
use std::time::Duration;

/// A connection that was negotiated and may be opened, or is open, at any node. Its key is the digest of its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionRecord {
    /// The public id.
    pub id: String,
    /// Whose it is: the principal that negotiated, written as text. Every later request must be from the same.
    pub principal: String,
    /// What was negotiated, opaque to the store, at most 4 KiB.
    pub details: String,
    /// The node that holds it open, where one does.
    pub node: Option<String>,
}

/// An attempt to hold a connection open.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The digest of its token.
    pub token: String,
    /// The node that wants to hold it.
    pub node: String,
    /// The node that it is taken from, where that one holds it.
    pub over: Option<String>,
    /// How long it lasts without being claimed again.
    pub ttl: Duration,
    /// The present.
    pub now: Timestamp,
}

/// What became of an attempt to hold a connection open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// It is held by this node now.
    Held(ConnectionRecord),
    /// Another node holds it.
    Elsewhere(ConnectionRecord),
    /// There is no such connection, or its time has passed.
    Unknown,
}

/// Which of the two directions of a relayed connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// From the client to the node that holds the connection.
    In,
    /// From that node to the client.
    Out,
}

/// Bytes to put on their way.
#[derive(Debug, Clone)]
pub struct Relay {
    /// The digest of the token.
    pub token: String,
    /// Which way.
    pub direction: Direction,
    /// The bytes, opaque to the store.
    pub bytes: Bytes,
    /// Most bytes that may wait; one portion may always.
    pub max_bytes: usize,
    /// The present.
    pub now: Timestamp,
}

/// What became of bytes that were put on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayOutcome {
    /// They wait under this number.
    Waiting(u64),
    /// Too much waits already: the other end must receive first.
    Full,
    /// There is no such connection, or its time has passed.
    Unknown,
}

/// Bytes on their way between the node that a client reached and the node that holds its connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relayed {
    /// Its number in its direction, from 1 and without gaps.
    pub number: u64,
    /// The bytes, opaque to the store.
    pub bytes: Bytes,
}

/// What of a direction to receive.
#[derive(Debug, Clone)]
pub struct Receive {
    /// The digest of the token.
    pub token: String,
    /// Which way.
    pub direction: Direction,
    /// The last number that arrived; 0 where none did.
    pub after: u64,
    /// About how many bytes to return at most; one portion in any case.
    pub max_bytes: usize,
    /// The present.
    pub now: Timestamp,
}

/// Connections in a store. Each is one aggregate and every write is one atomic step. A connection whose time has passed by
/// the clock of the call is not there, whether it was removed or not.
#[async_trait]
pub trait ConnectionStore: Send + Sync {
    /// Keeps a connection under the digest of its token, for a time. One that is there stays as it is, so that running it
    /// twice is running it once.
    async fn open(&self, token: &str, record: ConnectionRecord, ttl: Duration, now: Timestamp) -> Result<()>;

    /// Holds a connection at a node, or renews that, in one atomic step: two nodes never hold it. Wakes both ends where it
    /// changes hands.
    async fn claim(&self, claim: Claim) -> Result<ClaimOutcome>;

    /// Finds a connection.
    async fn find(&self, token: &str, now: Timestamp) -> Result<Option<ConnectionRecord>>;

    /// Lets a connection go, so that any node may hold it, for the rest of its time; whether the node held it.
    async fn let_go(&self, token: &str, node: &str, now: Timestamp) -> Result<bool>;

    /// Ends a connection, with everything that waits in it; whether it was there. Wakes both ends.
    async fn close(&self, token: &str, now: Timestamp) -> Result<bool>;

    /// Puts bytes on their way behind what waits. Wakes the other end.
    async fn send(&self, relay: Relay) -> Result<RelayOutcome>;

    /// What waits behind a number, in order; what is at or before it is removed. `None` where there is no such connection.
    async fn receive(&self, receive: Receive) -> Result<Option<Vec<Relayed>>>;

    /// Removes connections whose time has passed, at most `limit`; returns how many.
    async fn purge(&self, now: Timestamp, limit: u32) -> Result<u32>;
}
