//! Conversations on SQLite.

mod append;
mod change;
mod create;
mod messages;
mod removal;
mod requests;
mod row;
mod summaries;
mod turns;

use crate::errors::Outcome;
use crate::store::Store;
use crate::wakeups::Wakes;
use async_trait::async_trait;
use mainstay_core::api::Timestamp;
use mainstay_core::conversations::{
    Append, Appended, ConversationStore, Create, Created, Fork, Forked, ListPage, ListQuery, Lookup, MessagesPage,
    MessagesQuery, Owner, Patch, Patched, Recalled, Record, Renew, Take, Taken, TurnKept,
};
use mainstay_core::mail::RequestMemo;
use mainstay_core::{Error, Result};
use rusqlite::Connection;
use std::sync::Arc;

/// Most steps of one write: more than the removal of the longest conversation needs.
const MAX_STEPS: u32 = 100_000;

/// Conversations in a store.
pub(crate) struct SqliteConversations {
    store: Arc<Store>,
}

impl SqliteConversations {
    /// The conversations of a store.
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }

    /// Writes in as many steps as it takes to an answer, so that other writers have their turn between two of them.
    async fn in_steps<T, F>(&self, step: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&Connection, &mut Wakes) -> Outcome<Option<T>> + Send + Sync + 'static,
    {
        let step = Arc::new(step);
        for _ in 0..MAX_STEPS {
            let step = Arc::clone(&step);
            if let Some(answer) = self.store.write(move |connection, wakes| step(connection, wakes)).await? {
                return Ok(answer);
            }
        }
        Err(Error::bug("a removal did not come to an end").maybe_applied())
    }
}

#[async_trait]
impl ConversationStore for SqliteConversations {
    async fn create(&self, create: Create) -> Result<Created> {
        self.in_steps(move |connection, wakes| create::create(connection, &create, wakes)).await
    }

    async fn find(&self, at: &Lookup) -> Result<Option<Record>> {
        let at = at.clone();
        self.store.read(move |connection| row::record(connection, &at)).await
    }

    async fn touch(&self, at: &Lookup) -> Result<bool> {
        let at = at.clone();
        self.store.write(move |connection, _| change::touch(connection, &at)).await
    }

    async fn list(&self, query: ListQuery) -> Result<ListPage> {
        self.store.read(move |connection| summaries::list(connection, &query)).await
    }

    async fn append(&self, append: Append) -> Result<Appended> {
        self.store.write(move |connection, wakes| append::append(connection, &append, wakes)).await
    }

    async fn recall(&self, at: &Lookup, memo: &RequestMemo) -> Result<Option<Recalled>> {
        let (at, memo) = (at.clone(), memo.clone());
        self.store.read(move |connection| append::recall(connection, &at, &memo)).await
    }

    async fn messages(&self, query: MessagesQuery) -> Result<Option<MessagesPage>> {
        self.store.read(move |connection| messages::page(connection, &query)).await
    }

    async fn patch(&self, patch: Patch) -> Result<Patched> {
        self.store.write(move |connection, wakes| change::patch(connection, &patch, wakes)).await
    }

    async fn delete(&self, at: &Lookup) -> Result<bool> {
        let at = at.clone();
        self.store.write(move |connection, wakes| removal::delete(connection, &at, wakes)).await
    }

    async fn erase(&self, owner: &Owner, limit: u32) -> Result<u32> {
        let owner = owner.clone();
        self.in_steps(move |connection, wakes| removal::erase(connection, &owner, limit, wakes)).await
    }

    async fn take_turn(&self, take: Take) -> Result<Taken> {
        self.store.write(move |connection, wakes| turns::take(connection, &take, wakes)).await
    }

    async fn renew_turn(&self, renew: Renew) -> Result<TurnKept> {
        self.store.write(move |connection, _| turns::renew(connection, &renew)).await
    }

    async fn end_turn(&self, at: &Lookup, fence: u64) -> Result<TurnKept> {
        let at = at.clone();
        self.store.write(move |connection, wakes| turns::end(connection, &at, fence, wakes)).await
    }

    async fn fork(&self, fork: Fork) -> Result<Forked> {
        self.in_steps(move |connection, wakes| create::fork(connection, &fork, wakes)).await
    }

    async fn purge(&self, now: Timestamp, limit: u32) -> Result<u32> {
        self.store.write(move |connection, _| removal::purge(connection, now, limit)).await
    }
}
