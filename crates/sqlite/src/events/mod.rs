//! Events on SQLite.

mod groups;
mod log;
mod publish;
mod read;
mod trim;
mod unread;

pub(crate) use groups::SqliteGroups;

use crate::store::Store;
use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::events::{
    EventStore, LogName, LogPage, LogState, Publish, PublishOutcome, PurgeLog, Purged, ReadLog, Tail, wait_by_hints,
};
use std::sync::Arc;
use std::time::Duration;

/// Logs of events in a store.
pub(crate) struct SqliteEvents {
    store: Arc<Store>,
}

impl SqliteEvents {
    /// The events of a store.
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }
}

#[async_trait]
impl EventStore for SqliteEvents {
    async fn publish(&self, publish: Publish) -> Result<PublishOutcome> {
        self.store.write(move |connection, wakes| publish::publish(connection, &publish, wakes)).await
    }

    async fn read(&self, read: ReadLog) -> Result<LogPage> {
        self.store.read(move |connection| read::read(connection, &read)).await
    }

    async fn state(&self, log: &LogName) -> Result<LogState> {
        let log = log.clone();
        self.store.read(move |connection| log::state(connection, &log)).await
    }

    async fn wait(&self, tails: &[Tail], at_most: Duration) -> Result<Vec<LogName>> {
        wait_by_hints(self, &*self.store, tails, at_most, None).await
    }

    async fn purge(&self, purge: PurgeLog) -> Result<Purged> {
        self.store.write(move |connection, _| trim::purge(connection, &purge)).await
    }
}
