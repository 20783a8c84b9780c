//! Connections that span requests, on SQLite.

mod holding;
mod relaying;

use crate::store::Store;
use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::api::Timestamp;
use mainstay_core::events::{
    Claim, ClaimOutcome, ConnectionRecord, ConnectionStore, Receive, Relay, RelayOutcome, Relayed,
};
use std::sync::Arc;
use std::time::Duration;

/// Connections in a store.
pub(crate) struct SqliteConnections {
    store: Arc<Store>,
}

impl SqliteConnections {
    /// The connections of a store.
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }
}

#[async_trait]
impl ConnectionStore for SqliteConnections {
    async fn open(&self, token: &str, record: ConnectionRecord, ttl: Duration, now: Timestamp) -> Result<()> {
        let opening = holding::Opening { token: token.to_owned(), record, ttl, now };
        self.store.write(move |connection, _| holding::open(connection, &opening)).await
    }

    async fn claim(&self, claim: Claim) -> Result<ClaimOutcome> {
        self.store.write(move |connection, wakes| holding::claim(connection, &claim, wakes)).await
    }

    async fn find(&self, token: &str, now: Timestamp) -> Result<Option<ConnectionRecord>> {
        let token = token.to_owned();
        self.store.read(move |connection| holding::find(connection, &token, now)).await
    }

    async fn let_go(&self, token: &str, node: &str, now: Timestamp) -> Result<bool> {
        let (token, node) = (token.to_owned(), node.to_owned());
        self.store.write(move |connection, _| holding::let_go(connection, &token, &node, now)).await
    }

    async fn close(&self, token: &str, now: Timestamp) -> Result<bool> {
        let token = token.to_owned();
        self.store.write(move |connection, wakes| holding::close(connection, &token, now, wakes)).await
    }

    async fn send(&self, relay: Relay) -> Result<RelayOutcome> {
        self.store.write(move |connection, wakes| relaying::send(connection, &relay, wakes)).await
    }

    async fn receive(&self, receive: Receive) -> Result<Option<Vec<Relayed>>> {
        if receive.after == 0 {
            return self.store.read(move |connection| relaying::waiting(connection, &receive)).await;
        }
        self.store.write(move |connection, _| relaying::receive(connection, &receive)).await
    }

    async fn purge(&self, now: Timestamp, limit: u32) -> Result<u32> {
        self.store.write(move |connection, _| holding::purge(connection, now, limit)).await
    }
}
