//! Presence on SQLite.

mod beat;
mod instances;

use crate::store::Store;
use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::api::{InstanceId, Namespace, Timestamp};
use mainstay_core::presence::{Beat, BeatOutcome, PresenceRow, PresenceStore, Register, RegisterOutcome};
use std::sync::Arc;

/// Presence in a store.
pub(crate) struct SqlitePresence {
    store: Arc<Store>,
}

impl SqlitePresence {
    /// The presence of a store.
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }
}

#[async_trait]
impl PresenceStore for SqlitePresence {
    async fn register(&self, register: Register) -> Result<RegisterOutcome> {
        self.store.write(move |connection, wakes| instances::register(connection, &register, wakes)).await
    }

    async fn beat(&self, beat: Beat) -> Result<BeatOutcome> {
        self.store.write(move |connection, wakes| beat::beat(connection, &beat, wakes)).await
    }

    async fn list(&self, namespace: &Namespace) -> Result<Vec<PresenceRow>> {
        let namespace = namespace.clone();
        self.store.read(move |connection| instances::list(connection, &namespace)).await
    }

    async fn unregister(&self, namespace: &Namespace, instance: &InstanceId, session_id: Option<&str>) -> Result<bool> {
        let end = instances::Unregister {
            namespace: namespace.clone(),
            instance: instance.clone(),
            session_id: session_id.map(str::to_owned),
        };
        self.store.write(move |connection, wakes| instances::unregister(connection, &end, wakes)).await
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u32> {
        self.store.write(move |connection, wakes| instances::purge(connection, before, limit, wakes)).await
    }
}
