//! Consumer groups on SQLite.

mod dead;
mod group;
mod hold;
mod state;
mod take;

use crate::store::Store;
use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::api::Timestamp;
use mainstay_core::api::events::{ConsumerName, EventOffset};
use mainstay_core::events::{
    Bury, DeadEvent, GroupKey, GroupOutcome, GroupStart, GroupState, GroupStore, LogName, Release, TakeEvents,
    TakeOutcome,
};
use std::sync::Arc;

/// Consumer groups in a store.
pub(crate) struct SqliteGroups {
    store: Arc<Store>,
}

impl SqliteGroups {
    /// The groups of a store.
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }
}

#[async_trait]
impl GroupStore for SqliteGroups {
    async fn create_group(&self, group: &GroupKey, start: GroupStart, max_groups: u32) -> Result<GroupOutcome> {
        let create = group::Create { key: group.clone(), start, max_groups };
        self.store.write(move |connection, _| group::create(connection, &create)).await
    }

    async fn remove_group(&self, group: &GroupKey) -> Result<bool> {
        let key = group.clone();
        self.store.write(move |connection, _| group::remove(connection, &key)).await
    }

    async fn groups(&self, log: &LogName, now: Timestamp) -> Result<Vec<GroupState>> {
        let log = log.clone();
        self.store.read(move |connection| state::list(connection, &log, now)).await
    }

    async fn take(&self, take: TakeEvents) -> Result<TakeOutcome> {
        self.store.write(move |connection, _| take::take(connection, &take)).await
    }

    async fn keep(
        &self,
        group: &GroupKey,
        consumer: &ConsumerName,
        offsets: &[EventOffset],
        now: Timestamp,
    ) -> Result<Vec<EventOffset>> {
        let (key, consumer, offsets) = (group.clone(), consumer.clone(), offsets.to_vec());
        let keep = hold::Keep { key, consumer, offsets, now };
        self.store.write(move |connection, _| hold::keep(connection, &keep)).await
    }

    async fn acknowledge(&self, group: &GroupKey, offsets: &[EventOffset]) -> Result<u64> {
        let (key, offsets) = (group.clone(), offsets.to_vec());
        self.store.write(move |connection, _| hold::acknowledge(connection, &key, &offsets)).await
    }

    async fn release(&self, release: Release) -> Result<bool> {
        self.store.write(move |connection, _| hold::release(connection, &release)).await
    }

    async fn bury(&self, bury: Bury) -> Result<bool> {
        self.store.write(move |connection, _| dead::bury(connection, &bury)).await
    }

    async fn dead(&self, group: &GroupKey, after: EventOffset, limit: u32) -> Result<Vec<DeadEvent>> {
        let key = group.clone();
        self.store.read(move |connection| dead::list(connection, &key, after, limit)).await
    }

    async fn revive(&self, group: &GroupKey, offset: EventOffset) -> Result<bool> {
        let key = group.clone();
        self.store.write(move |connection, _| dead::revive(connection, &key, offset)).await
    }

    async fn forget(&self, group: &GroupKey, offset: EventOffset) -> Result<bool> {
        let key = group.clone();
        self.store.write(move |connection, _| dead::forget(connection, &key, offset)).await
    }
}
