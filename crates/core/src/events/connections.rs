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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the client to the node that holds the connection.
    In,
    /// From that node to the client.
    Out,
}

/// Bytes on their way between the node that a client reached and the node that holds its connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relayed {
    /// Its number in its direction, from 1 and without gaps.
    pub number: u64,
    /// The bytes, opaque to the store.
    pub bytes: Bytes,
}

/// Connections in a store. Each is one aggregate; each ends by itself, when it is not renewed.
#[async_trait]
pub trait ConnectionStore: Send + Sync {
    /// Keeps a connection under the digest of its token, for a time.
    async fn open(&self, token: &str, record: ConnectionRecord, ttl: Duration, now: Timestamp) -> Result<()>;

    /// Holds a connection at a node, or renews that, in one atomic step: two nodes never hold it. `over` takes it from the
    /// node that is named.
    async fn claim(
        &self,
        token: &str,
        node: &str,
        over: Option<&str>,
        ttl: Duration,
        now: Timestamp,
    ) -> Result<ClaimOutcome>;

    /// Finds a connection.
    async fn find(&self, token: &str, now: Timestamp) -> Result<Option<ConnectionRecord>>;

    /// Lets a connection go, so that any node may hold it, for the rest of its time.
    async fn let_go(&self, token: &str, node: &str) -> Result<bool>;

    /// Ends a connection, with everything that waits in it; whether it was there. Wakes both ends.
    async fn close(&self, token: &str) -> Result<bool>;

    /// Puts bytes on their way; `None` where there is no such connection, or more than `max_bytes` wait already. Wakes the other end.
    async fn send(
        &self,
        token: &str,
        direction: Direction,
        bytes: Bytes,
        max_bytes: usize,
        now: Timestamp,
    ) -> Result<Option<u64>>;

    /// What waits behind a number, in order, at most about `max_bytes`; what is at or before it is removed. `None` where there is no such
    /// connection.
    async fn receive(
        &self,
        token: &str,
        direction: Direction,
        after: u64,
        max_bytes: usize,
    ) -> Result<Option<Vec<Relayed>>>;

    /// Removes connections whose time has passed; how many.
    async fn purge(&self, now: Timestamp) -> Result<u64>;
}
