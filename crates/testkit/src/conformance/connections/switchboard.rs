//! What the cases of connections write with: tokens of their own, and short words for long structures.

use crate::conformance::Bed;
use bytes::Bytes;
use mainstay_core::Topic;
use mainstay_core::api::Timestamp;
use mainstay_core::events::{
    Claim, ClaimOutcome, ConnectionRecord, ConnectionStore, Direction, Receive, Relay, RelayOutcome,
};
use std::sync::Arc;
use std::time::Duration;

/// How long a connection lasts without being claimed again.
pub(super) const TTL: Duration = Duration::from_secs(30);
/// The same, in milliseconds.
pub(super) const TTL_MS: i64 = 30_000;

/// Connections whose tokens nobody else has.
#[derive(Clone)]
pub(super) struct Switchboard {
    pub store: Arc<dyn ConnectionStore>,
    pub now: Timestamp,
    pub max_bytes: usize,
    pub own: String,
}

impl Switchboard {
    pub fn new(bed: &Bed) -> Self {
        Self::at(bed, bed.now())
    }

    pub fn at(bed: &Bed, now: Timestamp) -> Self {
        let (store, own) = (bed.stores().connections.clone(), bed.namespace().into());
        Self { store, now, max_bytes: 1_000, own }
    }

    /// The same connections, later.
    pub fn later(&self, millis: i64) -> Self {
        Self { now: Timestamp::from_millis(self.now.as_millis() + millis), ..self.clone() }
    }

    pub fn token(&self, name: &str) -> String {
        format!("{}/{name}", self.own)
    }

    pub fn topic(&self, name: &str) -> Topic {
        Topic::Connection(self.token(name))
    }

    pub async fn open(&self, name: &str) {
        self.store.open(&self.token(name), record(name), TTL, self.now).await.expect("open");
    }

    pub async fn claim(&self, name: &str, node: &str, over: Option<&str>) -> ClaimOutcome {
        let (token, node, over) = (self.token(name), node.to_owned(), over.map(str::to_owned));
        self.store.claim(Claim { token, node, over, ttl: TTL, now: self.now }).await.expect("claim")
    }

    pub async fn find(&self, name: &str) -> Option<ConnectionRecord> {
        self.store.find(&self.token(name), self.now).await.expect("find")
    }

    pub async fn let_go(&self, name: &str, node: &str) -> bool {
        self.store.let_go(&self.token(name), node, self.now).await.expect("let go")
    }

    pub async fn close(&self, name: &str) -> bool {
        self.store.close(&self.token(name), self.now).await.expect("close")
    }

    pub async fn send(&self, name: &str, direction: Direction, bytes: &[u8]) -> RelayOutcome {
        let (token, bytes) = (self.token(name), Bytes::copy_from_slice(bytes));
        let relay = Relay { token, direction, bytes, max_bytes: self.max_bytes, now: self.now };
        self.store.send(relay).await.expect("send")
    }

    /// What waits behind a number: numbers and bytes.
    pub async fn receive(&self, name: &str, direction: Direction, after: u64) -> Option<Vec<(u64, Vec<u8>)>> {
        let (token, max_bytes) = (self.token(name), self.max_bytes);
        let receive = Receive { token, direction, after, max_bytes, now: self.now };
        let relayed = self.store.receive(receive).await.expect("receive")?;
        Some(relayed.into_iter().map(|relayed| (relayed.number, relayed.bytes.to_vec())).collect())
    }
}

/// What is kept of a connection of this name that nobody holds.
pub(super) fn record(name: &str) -> ConnectionRecord {
    ConnectionRecord {
        id: format!("id of {name}"),
        principal: format!("user:{name}"),
        details: format!("{{\"hub\":\"{name}\"}}"),
        node: None,
    }
}

/// The same, held by a node.
pub(super) fn held(name: &str, node: &str) -> ConnectionRecord {
    ConnectionRecord { node: Some(node.to_owned()), ..record(name) }
}
