//! Mail on SQLite: a file for each operation, and beneath them `message`, `delivery` and `row`.

mod acknowledge;
mod append;
mod delivery;
mod join;
mod list;
mod merge;
mod message;
mod numbers;
mod page;
mod purge;
mod row;
mod scan;
mod tail;

use crate::names;
use crate::store::Store;
use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::api::mail::{Imported, InboxCounts, MailStats};
use mainstay_core::api::{Epoch, InstanceId, MessageId, Namespace, Timestamp};
use mainstay_core::mail::{
    AckOutcome, Acknowledge, Append, Appended, ListPage, ListQuery, MailStore, MarkRead, Merge, RequestMemo, Row,
    TailPage, TailQuery,
};
use rusqlite::Connection;
use std::sync::Arc;

/// Mail in a store.
pub(crate) struct SqliteMail {
    store: Arc<Store>,
}

impl SqliteMail {
    /// The mail of a store.
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }
}

#[async_trait]
impl MailStore for SqliteMail {
    async fn append(&self, append: Append) -> Result<Appended> {
        self.store.write(move |connection, wakes| append::append(connection, &append, wakes)).await
    }

    async fn recall(&self, namespace: &Namespace, memo: &RequestMemo, now: Timestamp) -> Result<Option<Appended>> {
        let (namespace, memo) = (namespace.clone(), memo.clone());
        let recall = move |connection: &Connection| match names::namespace(connection, &namespace)? {
            Some(namespace) => append::remembered(connection, namespace, &memo, now),
            None => Ok(None),
        };
        self.store.read(recall).await
    }

    async fn merge(&self, merge: Merge) -> Result<Imported> {
        self.store.write(move |connection, wakes| merge::merge(connection, &merge, wakes)).await
    }

    async fn find(
        &self,
        namespace: &Namespace,
        id: &MessageId,
        viewer: Option<&InstanceId>,
        now: Timestamp,
    ) -> Result<Option<(Epoch, Row)>> {
        let find = row::Find { namespace: namespace.clone(), id: id.clone(), viewer: viewer.cloned(), now };
        self.store.read(move |connection| row::find(connection, &find)).await
    }

    async fn list(&self, query: ListQuery) -> Result<ListPage> {
        self.store.read(move |connection| list::list(connection, &query)).await
    }

    async fn tail(&self, query: TailQuery) -> Result<TailPage> {
        self.store.read(move |connection| tail::tail(connection, &query)).await
    }

    async fn acknowledge(&self, acknowledge: Acknowledge) -> Result<AckOutcome> {
        self.store.write(move |connection, wakes| acknowledge::acknowledge(connection, &acknowledge, wakes)).await
    }

    async fn mark_read(&self, mark: MarkRead) -> Result<u32> {
        self.store.write(move |connection, wakes| acknowledge::mark_read(connection, &mark, wakes)).await
    }

    async fn join(&self, namespace: &Namespace, instance: &InstanceId, now: Timestamp) -> Result<bool> {
        let join = join::Join { namespace: namespace.clone(), instance: instance.clone(), now };
        let asked = join.clone();
        if self.store.read(move |connection| join::is_recent_member(connection, &asked)).await? {
            return Ok(false);
        }
        self.store.write(move |connection, wakes| join::join(connection, &join, wakes)).await
    }

    async fn counts(&self, namespace: &Namespace, instance: &InstanceId) -> Result<InboxCounts> {
        let (namespace, instance) = (namespace.clone(), instance.clone());
        self.store.read(move |connection| numbers::counts(connection, &namespace, &instance)).await
    }

    async fn stats(&self, namespace: &Namespace) -> Result<MailStats> {
        let namespace = namespace.clone();
        self.store.read(move |connection| numbers::stats(connection, &namespace)).await
    }

    async fn purge(&self, now: Timestamp, members_since: Timestamp, limit: u32) -> Result<u32> {
        let purge = purge::Purge { now, members_since, limit };
        self.store.write(move |connection, wakes| purge::purge(connection, &purge, wakes)).await
    }
}
