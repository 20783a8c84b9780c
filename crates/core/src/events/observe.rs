//! How streams and those who work on them stand.

use super::groups::GroupStore;
use super::port::{EventStore, LogName, LogState};
use super::standing::{ASKED_AT_ONCE, groups_of, logs};
use super::streams::{StreamOptions, Streams};
use crate::error::Result;
use crate::{Caller, Clock, Scope};
use futures::{StreamExt, TryStreamExt};
use mainstay_api::events::{
    ConsumerGroup, ConsumerLag, EventOffset, EventPosition, EventsHealth, FollowedLog, GroupLag, Standing,
    StreamHealth, StreamName,
};
use mainstay_api::{Namespace, Timestamp};
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
        let mut groups = Vec::new();
        for (stream, options) in self.streams.iter() {
            groups.extend(self.groups_of(&caller.namespace, stream, options).await?);
        }
        let status = worst(groups.iter().map(|group| group.status));
        let total_lag = groups.iter().fold(0_u64, |sum, group| sum.saturating_add(group.lag));
        Ok(ConsumerLag { status, total_lag, groups })
    }

    /// How the streams of the caller's namespace stand.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn health(&self, caller: &Caller) -> Result<EventsHealth> {
        caller.require(Scope::EventsRead)?;
        let mut streams = Vec::new();
        for (stream, options) in self.streams.iter() {
            streams.push(self.survey(&caller.namespace, stream, options).await?.health);
        }
        Ok(EventsHealth { status: worst(streams.iter().map(|stream| stream.status)), streams })
    }

    /// How each stream of the caller's namespace stands, or why that cannot be said; by the key of the stream.
    ///
    /// # Errors
    /// `auth.forbidden`.
    pub async fn each(&self, caller: &Caller) -> Result<Vec<(String, Result<Survey>)>> {
        caller.require(Scope::EventsRead)?;
        let mut each = Vec::new();
        for (stream, options) in self.streams.iter() {
            each.push((options.redis_key.clone(), self.survey(&caller.namespace, stream, options).await));
        }
        Ok(each)
    }

    /// How one stream of a namespace stands, with its groups; for the node's own metrics as well.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn survey(&self, namespace: &Namespace, stream: &StreamName, options: &StreamOptions) -> Result<Survey> {
        let asked = logs(namespace, stream, options).map(|log| async move { self.events.state(&log).await });
        let states: Vec<LogState> = futures::stream::iter(asked).buffered(ASKED_AT_ONCE).try_collect().await?;
        let ends: Vec<EventOffset> = states.iter().map(|state| state.last).collect();
        let last = ends.iter().map(|end| end.ms).max().unwrap_or(0);
        let groups = self.groups_of(namespace, stream, options).await?;
        let health = StreamHealth {
            stream: stream.clone(),
            status: worst(groups.iter().map(|group| group.status)),
            length: states.iter().fold(0_u64, |sum, state| sum.saturating_add(state.length)),
            last_event_at: i64::try_from(last).ok().filter(|ms| *ms > 0).map(Timestamp::from_millis),
            max_lag: groups.iter().map(|group| group.lag).max().unwrap_or(0),
        };
        Ok(Survey { health, groups, ends })
    }

    /// How far a node that has read logs of the caller's namespace up to these places is behind them.
    ///
    /// # Errors
    /// `auth.forbidden`; those of the store.
    pub async fn behind(&self, caller: &Caller, heads: Vec<(LogName, EventPosition)>) -> Result<Vec<FollowedLog>> {
        caller.require(Scope::EventsRead)?;
        let own = heads.into_iter().filter(|(log, _)| log.namespace == caller.namespace);
        let asked = own.map(|(log, head)| async move {
            let behind_ms = behind_ms(self.events.state(&log).await?.last, head.offset);
            Ok(FollowedLog { stream: log.stream, partition: log.partition, position: head, behind_ms })
        });
        let mut logs: Vec<FollowedLog> =
            futures::stream::iter(asked).buffered(ASKED_AT_ONCE).try_collect::<Vec<_>>().await?;
        logs.sort_by(|one, other| (&one.stream, one.partition).cmp(&(&other.stream, other.partition)));
        Ok(logs)
    }

    /// The streams.
    #[must_use]
    pub fn streams(&self) -> &Streams {
        &self.streams
    }

    /// The groups of a stream, the partitions of each added up.
    async fn groups_of(
        &self,
        namespace: &Namespace,
        stream: &StreamName,
        options: &StreamOptions,
    ) -> Result<Vec<GroupLag>> {
        let groups = groups_of(self.groups.as_ref(), logs(namespace, stream, options), self.clock.now()).await?;
        Ok(groups.into_iter().map(|group| lag_of(stream, group)).collect())
    }
}

/// How a stream stands, with its groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// The stream.
    pub health: StreamHealth,
    /// Its groups, by name.
    pub groups: Vec<GroupLag>,
    /// The last event of each partition.
    pub ends: Vec<EventOffset>,
}

impl Survey {
    /// The group that is furthest behind.
    #[must_use]
    pub fn furthest(&self) -> Option<&GroupLag> {
        self.groups.iter().max_by_key(|group| group.lag)
    }

    /// How far a node that has read partitions of the stream up to these places is behind the one that it is furthest
    /// behind, in milliseconds; none where it reads none.
    #[must_use]
    pub fn behind_ms(&self, heads: impl Iterator<Item = (u16, EventOffset)>) -> Option<u64> {
        heads.filter_map(|(partition, head)| Some(behind_ms(*self.ends.get(usize::from(partition))?, head))).max()
    }
}

/// Milliseconds between a place in a log and its last event.
fn behind_ms(end: EventOffset, head: EventOffset) -> u64 {
    if end > head { end.ms.saturating_sub(head.ms).max(1) } else { 0 }
}

fn worst(standings: impl Iterator<Item = Standing>) -> Standing {
    standings.max().unwrap_or(Standing::Healthy)
}

fn lag_of(stream: &StreamName, group: ConsumerGroup) -> GroupLag {
    GroupLag {
        stream: stream.clone(),
        group: group.name,
        status: group.status,
        lag: group.lag,
        lag_at_least: group.lag_at_least,
        pending: group.pending,
        oldest_pending_ms: group.oldest_pending_ms,
        consumers: group.consumers.into_iter().map(|consumer| consumer.name).collect(),
        dead: group.dead,
        lost: group.lost,
    }
}
