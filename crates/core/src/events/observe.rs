//! How streams and those who work on them stand.

use super::groups::{GroupState, GroupStore};
use super::port::{EventStore, LogName};
use super::streams::{StreamOptions, Streams};
use crate::error::Result;
use crate::{Caller, Clock, Scope};
use mainstay_api::events::{ConsumerLag, EventsHealth, GroupLag, GroupName, Standing, StreamHealth, StreamName};
use mainstay_api::{Namespace, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Looks at streams and groups, and changes nothing.
pub struct EventObserver {
    events: Arc<dyn EventStore>,
    groups: Arc<dyn GroupStore>,
    streams: Arc<Streams>,
    clock: Arc<dyn Clock>,
}

impl EventObserver {
    /// Looks at these streams of a store.
    #[must_use]
    pub fn new(
        events: Arc<dyn EventStore>,
        groups: Arc<dyn GroupStore>,
        streams: Arc<Streams>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { events, groups, streams, clock }
    }

    /// How far the groups of the caller's namespace are behind.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn consumer_lag(&self, caller: &Caller) -> Result<ConsumerLag> {
        caller.require(Scope::EventsRead)?;
        self.lag_in(&caller.namespace).await
    }

    /// The same for a namespace, for the node's own metrics.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn lag_in(&self, namespace: &Namespace) -> Result<ConsumerLag> {
        let mut groups = Vec::new();
        for (stream, options) in self.streams.iter() {
            groups.extend(self.groups_of(namespace, stream, options).await?);
        }
        let status = groups.iter().map(|group| group.status).max().unwrap_or(Standing::Healthy);
        let total_lag = groups.iter().fold(0_u64, |sum, group| sum.saturating_add(group.lag));
        Ok(ConsumerLag { status, total_lag, groups })
    }

    /// How the streams of the caller's namespace stand.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn health(&self, caller: &Caller) -> Result<EventsHealth> {
        caller.require(Scope::EventsRead)?;
        self.health_in(&caller.namespace).await
    }

    /// The same for a namespace, for the node's own metrics.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn health_in(&self, namespace: &Namespace) -> Result<EventsHealth> {
        let mut streams = Vec::new();
        for (stream, options) in self.streams.iter() {
            let (mut length, mut last) = (0_u64, 0);
            for log in logs(namespace, stream, options) {
                let state = self.events.state(&log).await?;
                length = length.saturating_add(state.length);
                last = last.max(state.last.ms);
            }
            let groups = self.groups_of(namespace, stream, options).await?;
            streams.push(StreamHealth {
                stream: stream.clone(),
                status: groups.iter().map(|group| group.status).max().unwrap_or(Standing::Healthy),
                length,
                last_event_at: i64::try_from(last).ok().filter(|ms| *ms > 0).map(Timestamp::from_millis),
                max_lag: groups.iter().map(|group| group.lag).max().unwrap_or(0),
            });
        }
        let status = streams.iter().map(|stream| stream.status).max().unwrap_or(Standing::Healthy);
        Ok(EventsHealth { status, streams })
    }

    /// The groups of a stream, the partitions of each added up.
    async fn groups_of(
        &self,
        namespace: &Namespace,
        stream: &StreamName,
        options: &StreamOptions,
    ) -> Result<Vec<GroupLag>> {
        let now = self.clock.now();
        let mut groups: BTreeMap<GroupName, GroupLag> = BTreeMap::new();
        for log in logs(namespace, stream, options) {
            for state in self.groups.groups(&log, now).await? {
                let sum = groups.entry(state.group.clone()).or_insert_with(|| none_of(stream, &state.group));
                add(sum, &state);
            }
        }
        Ok(groups.into_values().collect())
    }
}

/// The logs of a stream.
fn logs(namespace: &Namespace, stream: &StreamName, options: &StreamOptions) -> impl Iterator<Item = LogName> {
    let (namespace, stream) = (namespace.clone(), stream.clone());
    (0..options.partitions).map(move |partition| LogName {
        namespace: namespace.clone(),
        stream: stream.clone(),
        partition,
    })
}

fn none_of(stream: &StreamName, group: &GroupName) -> GroupLag {
    GroupLag {
        stream: stream.clone(),
        group: group.clone(),
        status: Standing::Healthy,
        lag: 0,
        pending: 0,
        oldest_pending_ms: None,
        consumers: 0,
        dead: 0,
        missed: 0,
    }
}

fn add(sum: &mut GroupLag, state: &GroupState) {
    sum.lag = sum.lag.saturating_add(state.lag);
    sum.status = Standing::of_lag(sum.lag);
    sum.pending = sum.pending.saturating_add(state.pending);
    let idle = state.oldest_idle.map(|idle| u64::try_from(idle.as_millis()).unwrap_or(u64::MAX));
    sum.oldest_pending_ms = sum.oldest_pending_ms.max(idle);
    sum.consumers = sum.consumers.max(state.consumers.len() as u64);
    sum.dead = sum.dead.saturating_add(state.dead);
    sum.missed = sum.missed.saturating_add(state.lost);
}
