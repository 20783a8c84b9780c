//! The port, on a store that may be away.

use super::{OutlastingDocuments, is_away, is_in_doubt};
use crate::documents::{
    ChangesQuery, ChangesRead, DocumentName, DocumentRow, DocumentStore, DocumentsQuery, DocumentsRead, HistoryQuery,
    PurgeDocuments, RevisionRow, SealedRevision, Transact, Transacted,
};
use crate::error::Result;
use async_trait::async_trait;
use mainstay_api::documents::CollectionName;
use mainstay_api::{Namespace, Position, Timestamp};

#[async_trait]
impl DocumentStore for OutlastingDocuments {
    async fn transact(&self, mut transact: Transact) -> Result<Transacted> {
        self.know(&transact.namespace);
        let memo = transact.memo.clone().unwrap_or_else(|| self.memo());
        transact.memo = Some(memo.clone());
        if !self.outage.standing.is_connected() {
            return self.keep(transact, memo, false).await;
        }
        match self.inner.transact(transact.clone()).await {
            Err(error) if is_away(&error) => {
                self.lost(&error);
                self.keep(transact, memo, is_in_doubt(&error)).await
            }
            Ok(Transacted::Committed(position)) => {
                self.took(&transact, &position);
                Ok(Transacted::Committed(position))
            }
            answer => answer,
        }
    }

    async fn document(
        &self,
        namespace: &Namespace,
        name: &DocumentName,
        now: Timestamp,
    ) -> Result<Option<DocumentRow>> {
        let call = self.inner.document(namespace, name, now);
        self.read(namespace, call, |copy| copy.document(name, now)).await
    }

    async fn documents(&self, query: DocumentsQuery) -> Result<DocumentsRead> {
        let call = self.inner.documents(query.clone());
        self.read(&query.namespace, call, |copy| copy.documents(&query)).await
    }

    async fn collections(&self, namespace: &Namespace) -> Result<Vec<CollectionName>> {
        self.read(namespace, self.inner.collections(namespace), super::Copy::collections).await
    }

    /// A copy has no history.
    async fn history(&self, query: HistoryQuery) -> Result<Vec<RevisionRow>> {
        self.inner.history(query).await
    }

    async fn changes(&self, query: ChangesQuery) -> Result<ChangesRead> {
        let call = self.inner.changes(query.clone());
        self.read(&query.namespace, call, |copy| copy.changes(&query)).await
    }

    async fn head(&self, namespace: &Namespace) -> Result<Position> {
        self.read(namespace, self.inner.head(namespace), |copy| copy.head.clone()).await
    }

    async fn seal_keys(&self) -> Result<Vec<String>> {
        self.inner.seal_keys().await
    }

    async fn sealed_otherwise(&self, key: &str, limit: u32) -> Result<Vec<SealedRevision>> {
        self.inner.sealed_otherwise(key, limit).await
    }

    async fn reseal(&self, revision: SealedRevision, before: &str) -> Result<bool> {
        self.inner.reseal(revision, before).await
    }

    async fn purge(&self, purge: PurgeDocuments) -> Result<u32> {
        self.inner.purge(purge).await
    }
}
