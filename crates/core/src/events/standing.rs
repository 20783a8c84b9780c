//! How the groups of a stream stand, its partitions added up.

use super::groups::{GroupState, GroupStore};
use super::port::LogName;
use super::streams::StreamOptions;
use crate::error::Result;
use futures::{StreamExt, TryStreamExt, stream};
use mainstay_api::events::{ConsumerGroup, ConsumerName, GroupConsumer, GroupName, Standing, StreamName};
use mainstay_api::{Namespace, Timestamp};
use std::collections::BTreeMap;

/// Logs that are asked at a time.
pub(super) const ASKED_AT_ONCE: usize = 8;

/// The logs of a stream.
pub(super) fn logs(
    namespace: &Namespace,
    stream: &StreamName,
    options: &StreamOptions,
) -> impl Iterator<Item = LogName> + use<> {
    let (namespace, stream) = (namespace.clone(), stream.clone());
    (0..options.partitions).map(move |partition| LogName {
        namespace: namespace.clone(),
        stream: stream.clone(),
        partition,
    })
}

/// The groups of some logs as those of one, by name.
pub(super) async fn groups_of(
    store: &dyn GroupStore,
    logs: impl Iterator<Item = LogName> + Send,
    now: Timestamp,
) -> Result<Vec<ConsumerGroup>> {
    let asked = logs.map(|log| async move { store.groups(&log, now).await });
    let states: Vec<Vec<GroupState>> = stream::iter(asked).buffered(ASKED_AT_ONCE).try_collect().await?;
    let mut sums: BTreeMap<GroupName, Sum> = BTreeMap::new();
    for state in states.into_iter().flatten() {
        sums.entry(state.group.clone()).or_default().add(state);
    }
    Ok(sums.into_iter().map(|(name, sum)| sum.named(name)).collect())
}

#[derive(Default)]
struct Sum {
    lag: u64,
    lag_at_least: bool,
    pending: u64,
    oldest_pending_ms: Option<u64>,
    consumers: BTreeMap<ConsumerName, u64>,
    dead: u64,
    lost: u64,
}

impl Sum {
    fn add(&mut self, state: GroupState) {
        self.lag = self.lag.saturating_add(state.lag);
        self.lag_at_least |= state.lag_at_least;
        self.pending = self.pending.saturating_add(state.pending);
        let idle_ms = state.oldest_idle.map(|idle| u64::try_from(idle.as_millis()).unwrap_or(u64::MAX));
        self.oldest_pending_ms = self.oldest_pending_ms.max(idle_ms);
        for (name, holds) in state.consumers {
            let sum = self.consumers.entry(name).or_default();
            *sum = sum.saturating_add(holds);
        }
        self.dead = self.dead.saturating_add(state.dead);
        self.lost = self.lost.saturating_add(state.lost);
    }

    fn named(self, name: GroupName) -> ConsumerGroup {
        ConsumerGroup {
            name,
            status: Standing::of_lag(self.lag),
            lag: self.lag,
            lag_at_least: self.lag_at_least,
            pending: self.pending,
            oldest_pending_ms: self.oldest_pending_ms,
            consumers: self.consumers.into_iter().map(|(name, holds)| GroupConsumer { name, holds }).collect(),
            dead: self.dead,
            lost: self.lost,
        }
    }
}
