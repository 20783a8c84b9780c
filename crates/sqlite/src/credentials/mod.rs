//! Credentials of providers on SQLite.

mod records;
mod refreshing;
mod seals;

use crate::store::Store;
use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::api::providers::ProviderId;
use mainstay_core::providers::PoolName;
use mainstay_core::providers::credentials::{
    BeginRefresh, Begun, CredentialOutcome, CredentialRecord, CredentialStore, DueCredential, FailRefresh,
    FinishRefresh, ListDue, PutCredential, ResealCredential,
};
use std::sync::Arc;

/// Credentials in a store.
pub(crate) struct SqliteCredentials {
    store: Arc<Store>,
}

impl SqliteCredentials {
    /// The credentials of a store.
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }
}

#[async_trait]
impl CredentialStore for SqliteCredentials {
    async fn credential(&self, pool: &PoolName, provider: &ProviderId) -> Result<Option<CredentialRecord>> {
        let (pool, provider) = (pool.clone(), provider.clone());
        self.store.read(move |connection| records::find(connection, &pool, &provider)).await
    }

    async fn put_credential(&self, put: PutCredential) -> Result<CredentialOutcome> {
        self.store.write(move |connection, wakes| records::put(connection, &put, wakes)).await
    }

    async fn remove_credential(&self, pool: &PoolName, provider: &ProviderId) -> Result<bool> {
        let (pool, provider) = (pool.clone(), provider.clone());
        self.store.write(move |connection, wakes| records::remove(connection, &pool, &provider, wakes)).await
    }

    async fn begin_refresh(&self, begin: BeginRefresh) -> Result<Begun> {
        self.store.write(move |connection, _| refreshing::begin(connection, &begin)).await
    }

    async fn finish_refresh(&self, finish: FinishRefresh) -> Result<CredentialOutcome> {
        self.store.write(move |connection, wakes| refreshing::finish(connection, &finish, wakes)).await
    }

    async fn fail_refresh(&self, fail: FailRefresh) -> Result<bool> {
        self.store.write(move |connection, wakes| refreshing::fail(connection, &fail, wakes)).await
    }

    async fn due(&self, list: ListDue) -> Result<Vec<DueCredential>> {
        self.store.read(move |connection| refreshing::due(connection, list)).await
    }

    async fn credential_seal_keys(&self) -> Result<Vec<String>> {
        self.store.read(seals::keys).await
    }

    async fn credentials_not_sealed_with(&self, key: &str, limit: u32) -> Result<Vec<(PoolName, ProviderId)>> {
        let key = key.to_owned();
        self.store.read(move |connection| seals::others(connection, &key, limit)).await
    }

    async fn reseal_credential(&self, reseal: ResealCredential) -> Result<bool> {
        self.store.write(move |connection, _| seals::reseal(connection, &reseal)).await
    }
}
