//! Documents on SQLite.

mod commit;
mod log;
mod purge;
mod read;
mod sealing;
mod transact;

use crate::store::Store;
use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::api::documents::CollectionName;
use mainstay_core::api::{Namespace, Position, Timestamp};
use mainstay_core::documents::{
    ChangesQuery, ChangesRead, DocumentName, DocumentRow, DocumentStore, DocumentsQuery, DocumentsRead, HistoryQuery,
    PurgeDocuments, RevisionRow, SealedRevision, Transact, Transacted,
};
use std::sync::Arc;

/// Documents in a store.
pub(crate) struct SqliteDocuments {
    store: Arc<Store>,
}

impl SqliteDocuments {
    /// The documents of a store.
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }
}

#[async_trait]
impl DocumentStore for SqliteDocuments {
    async fn transact(&self, transact: Transact) -> Result<Transacted> {
        self.store.write(move |connection, wakes| transact::transact(connection, &transact, wakes)).await
    }

    async fn document(
        &self,
        namespace: &Namespace,
        name: &DocumentName,
        now: Timestamp,
    ) -> Result<Option<DocumentRow>> {
        let (namespace, name) = (namespace.clone(), name.clone());
        self.store.read(move |connection| read::document(connection, &namespace, &name, now)).await
    }

    async fn documents(&self, query: DocumentsQuery) -> Result<DocumentsRead> {
        self.store.read(move |connection| read::documents(connection, &query)).await
    }

    async fn collections(&self, namespace: &Namespace) -> Result<Vec<CollectionName>> {
        let namespace = namespace.clone();
        self.store.read(move |connection| read::collections(connection, &namespace)).await
    }

    async fn history(&self, query: HistoryQuery) -> Result<Vec<RevisionRow>> {
        self.store.read(move |connection| read::history(connection, &query)).await
    }

    async fn changes(&self, query: ChangesQuery) -> Result<ChangesRead> {
        self.store.read(move |connection| log::changes(connection, &query)).await
    }

    async fn head(&self, namespace: &Namespace) -> Result<Position> {
        let namespace = namespace.clone();
        self.store.read(move |connection| Ok(log::space(connection, &namespace)?.head())).await
    }

    async fn seal_keys(&self) -> Result<Vec<String>> {
        self.store.read(sealing::seal_keys).await
    }

    async fn sealed_otherwise(&self, key: &str, limit: u32) -> Result<Vec<SealedRevision>> {
        let key = key.to_owned();
        self.store.read(move |connection| sealing::sealed_otherwise(connection, &key, limit)).await
    }

    async fn reseal(&self, revision: SealedRevision, before: &str) -> Result<bool> {
        let before = before.to_owned();
        self.store.write(move |connection, _| sealing::reseal(connection, &revision, &before)).await
    }

    async fn purge(&self, purge: PurgeDocuments) -> Result<u32> {
        self.store.write(move |connection, wakes| purge::purge(connection, purge, wakes)).await
    }
}
