//! The audit trail on SQLite.

mod chain;
mod entries;

use crate::store::Store;
use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::api::audit::ChainId;
use mainstay_core::audit::{Append, Appended, AuditStore, ChainState, PageQuery, Sealed, Trim, Trimmed};
use std::sync::Arc;

/// The audit trail in a store.
pub(crate) struct SqliteAudit {
    store: Arc<Store>,
}

impl SqliteAudit {
    /// The audit trail of a store.
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }
}

#[async_trait]
impl AuditStore for SqliteAudit {
    async fn append(&self, append: Append) -> Result<Appended> {
        self.store.write(move |connection, _| entries::append(connection, &append)).await
    }

    async fn state(&self, chain: &ChainId) -> Result<Option<ChainState>> {
        let chain = chain.clone();
        self.store.read(move |connection| Ok(chain::find(connection, &chain)?.map(|found| found.state))).await
    }

    async fn chains(&self) -> Result<Vec<ChainId>> {
        self.store.read(chain::list).await
    }

    async fn page(&self, query: PageQuery) -> Result<Vec<Sealed>> {
        self.store.read(move |connection| entries::page(connection, &query)).await
    }

    async fn trim(&self, trim: Trim) -> Result<Trimmed> {
        self.store.write(move |connection, _| entries::trim(connection, &trim)).await
    }
}
