//! Gateway keys and usage on SQLite.

mod admitting;
mod records;
mod usage;

use crate::names;
use crate::store::Store;
use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::api::providers::{GatewayKeyId, LeaseId};
use mainstay_core::api::{Namespace, Timestamp};
use mainstay_core::providers::keys::{
    Admission, Admit, ChangeKey, CreateKey, KeyOutcome, KeyRecord, KeyStore, ListUsage, Settle, UsageRow,
};
use std::sync::Arc;

/// Gateway keys in a store.
pub(crate) struct SqliteKeys {
    store: Arc<Store>,
}

impl SqliteKeys {
    /// The gateway keys of a store.
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }
}

#[async_trait]
impl KeyStore for SqliteKeys {
    async fn create_key(&self, create: CreateKey) -> Result<KeyOutcome> {
        self.store.write(move |connection, _| records::create(connection, &create)).await
    }

    async fn change_key(&self, change: ChangeKey) -> Result<KeyOutcome> {
        self.store.write(move |connection, _| records::change(connection, &change)).await
    }

    async fn remove_key(&self, namespace: &Namespace, id: &GatewayKeyId) -> Result<bool> {
        let (namespace, id) = (namespace.clone(), id.clone());
        self.store.write(move |connection, _| records::remove(connection, &namespace, &id)).await
    }

    async fn key(&self, namespace: &Namespace, id: &GatewayKeyId, now: Timestamp) -> Result<Option<KeyRecord>> {
        let (namespace, id) = (namespace.clone(), id.clone());
        self.store
            .read(move |connection| {
                let found = records::by_id(connection, &namespace, &id)?;
                found.map(|row| admitting::told(connection, row, now)).transpose()
            })
            .await
    }

    async fn key_of(&self, digest: &str, now: Timestamp) -> Result<Option<KeyRecord>> {
        let digest = digest.to_owned();
        self.store
            .read(move |connection| {
                let found = records::by_digest(connection, &digest)?;
                found.map(|row| admitting::told(connection, row, now)).transpose()
            })
            .await
    }

    async fn keys(
        &self,
        namespace: &Namespace,
        after: Option<&GatewayKeyId>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<KeyRecord>> {
        let (namespace, after) = (namespace.clone(), after.cloned());
        self.store
            .read(move |connection| {
                let rows = records::list(connection, &namespace, after.as_ref(), limit)?;
                rows.into_iter().map(|row| admitting::told(connection, row, now)).collect()
            })
            .await
    }

    async fn seal_keys(&self) -> Result<Vec<String>> {
        self.store.read(records::seal_keys).await
    }

    async fn key_namespaces(&self) -> Result<Vec<Namespace>> {
        self.store
            .read(|connection| {
                let sql = "SELECT name FROM namespaces WHERE id IN (SELECT DISTINCT namespace FROM gateway_keys)";
                let mut statement = connection.prepare_cached(sql)?;
                let names = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
                names.into_iter().map(names::parse_namespace).collect()
            })
            .await
    }

    async fn admit(&self, admit: Admit) -> Result<Admission> {
        self.store.write(move |connection, _| admitting::admit(connection, &admit)).await
    }

    async fn withdraw(&self, digest: &str, request: &LeaseId) -> Result<bool> {
        let (digest, request) = (digest.to_owned(), request.clone());
        self.store.write(move |connection, _| admitting::withdraw(connection, &digest, &request)).await
    }

    async fn settle(&self, settle: Settle) -> Result<bool> {
        self.store.write(move |connection, _| usage::settle(connection, &settle)).await
    }

    async fn usage(&self, list: ListUsage) -> Result<Vec<UsageRow>> {
        self.store.read(move |connection| usage::list(connection, &list)).await
    }

    async fn purge(&self, now: Timestamp, before_day: u32) -> Result<bool> {
        self.store.write(move |connection, _| usage::purge(connection, now, before_day)).await
    }
}
