//! Live delivery: what is published to a log reaches every connection of this node that subscribed to its room.
//!
//! One task per log that somebody subscribed to reads it as it grows and puts each event, written once per protocol, into
//! the queues of the connections; events that come together go there as one frame where the protocol allows it. Whoever
//! comes with a position gets what was missed first: from the last events in memory, where they reach back far enough,
//! else from the store, page by page, as its queue empties.

mod burst;
mod counts;
mod event;
mod feed;
mod follow;
mod meter;
mod outlet;
mod queue;
mod ring;
mod subscribing;
#[cfg(test)]
mod test_log;
#[cfg(test)]
mod tests;
mod typing;

pub use counts::{LiveCounts, LiveHeld};
pub use event::{Encode, LiveEvent, Notice, ProtocolId};
pub use meter::{Meter, Stamp};
pub use outlet::{Closed, Drain, Outlet, OutletParts};
pub use subscribing::{Pending, Subscription};
pub use typing::{Offered, Typing, coalesced_with, join};

use counts::Counts;
use feed::{Feed, FeedOptions};
use mainstay_core::api::Code;
use mainstay_core::api::events::EventPosition;
use mainstay_core::events::{EventStore, LogName, RoomKey, Streams};
use mainstay_core::{Error, Result};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use subscribing::Lease;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Longest time between two reads of a log while nothing is heard: a wake-up that was lost costs no more than this.
const SAFETY_READ: Duration = Duration::from_secs(5);

/// Bounds of live delivery.
#[derive(Debug, Clone, Copy)]
pub struct LiveOptions {
    /// Events of each log that are kept in memory at most.
    pub ring_events: usize,
    /// Memory that they take at most, in bytes.
    pub ring_bytes: usize,
    /// Logs that are followed at a time.
    pub max_logs: usize,
}

impl Default for LiveOptions {
    /// 1,024 events and 2 MiB of each log, 4,096 logs.
    fn default() -> Self {
        Self { ring_events: 1_024, ring_bytes: 2 * 1_024 * 1_024, max_logs: 4_096 }
    }
}

/// Live delivery at this node. Clones share it.
#[derive(Clone)]
pub struct Live {
    shared: Arc<LiveShared>,
}

pub(crate) struct LiveShared {
    events: Arc<dyn EventStore>,
    streams: Arc<Streams>,
    options: LiveOptions,
    counts: Arc<Counts>,
    feeds: Mutex<HashMap<LogName, Arc<Feed>>>,
    tasks: TaskTracker,
    closed: CancellationToken,
}

impl Live {
    /// Live delivery of the events in a store. Nothing is read until somebody subscribes.
    #[must_use]
    pub fn new(events: Arc<dyn EventStore>, streams: Arc<Streams>, options: LiveOptions) -> Self {
        let shared = LiveShared {
            events,
            streams,
            options,
            counts: Arc::default(),
            feeds: Mutex::default(),
            tasks: TaskTracker::new(),
            closed: CancellationToken::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// The way out to a connection, and its reading end.
    #[must_use]
    pub fn outlet(&self, parts: OutletParts) -> (Outlet, Drain) {
        Outlet::open(parts, Arc::clone(&self.shared.counts))
    }

    /// Prepares a subscription of a connection to a room, from behind a position, or from now on. Whether the caller may
    /// subscribe is for the caller of this to ask. Needs a Tokio runtime.
    ///
    /// # Errors
    /// `events.stream_unknown`; `server.overloaded` where too many logs are followed; those of the store.
    pub async fn subscribe(&self, outlet: &Outlet, room: RoomKey, from: Option<EventPosition>) -> Result<Pending> {
        let options = self.shared.streams.require(&room.stream)?;
        let partition = options.partition_of(&room.room);
        let log = LogName { namespace: room.namespace.clone(), stream: room.stream.clone(), partition };
        let feed = FeedOptions {
            live: self.shared.options,
            overflow: options.overflow,
            dedupe_ms: u64::try_from(options.dedupe.as_millis()).unwrap_or(u64::MAX),
        };
        let lease = self.shared.lease(log, &feed)?;
        let feed = Arc::clone(&lease.0);
        if let Err(error) = self.shared.begun(&feed, options.dedupe).await {
            // Nothing follows it, so nothing else would give it up.
            drop(lease);
            self.shared.forget(&feed);
            return Err(error);
        }
        Pending::prepare(Arc::clone(&self.shared), lease, (outlet.clone(), room), from).await
    }

    /// What has been counted.
    #[must_use]
    pub fn counts(&self) -> LiveCounts {
        self.shared.counts.now()
    }

    /// Up to where this node has read each log that it follows.
    #[must_use]
    pub fn heads(&self) -> Vec<(LogName, EventPosition)> {
        let feeds = self.shared.feeds();
        feeds.values().filter_map(|feed| Some((feed.log.clone(), feed.head()?))).collect()
    }

    /// What this node holds of the logs that it follows.
    #[must_use]
    pub fn held(&self) -> LiveHeld {
        let feeds: Vec<Arc<Feed>> = self.shared.feeds().values().cloned().collect();
        let add = |sum: LiveHeld, one: LiveHeld| LiveHeld { rooms: sum.rooms + one.rooms, ids: sum.ids + one.ids };
        feeds.iter().map(|feed| feed.held()).fold(LiveHeld::default(), add)
    }

    /// How many logs are followed now.
    #[must_use]
    pub fn logs(&self) -> usize {
        self.shared.feeds().len()
    }

    /// Ends every task. Nothing is delivered any more. Calling it twice does no harm.
    pub async fn close(&self) {
        self.shared.closed.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }
}

impl LiveShared {
    fn feeds(&self) -> MutexGuard<'_, HashMap<LogName, Arc<Feed>>> {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The feed of a log, which is kept for as long as the lease is.
    fn lease(&self, log: LogName, options: &FeedOptions) -> Result<Lease> {
        let mut feeds = self.feeds();
        if !feeds.contains_key(&log) && feeds.len() >= self.options.max_logs {
            return Err(Error::new(
                Code::Overloaded,
                "the server follows as many streams and namespaces as it takes on at a time",
                "Repeat the call in a moment, or add a node.",
            )
            .retry_after_ms(1_000));
        }
        let new = || Arc::new(Feed::new(log.clone(), options, Arc::clone(&self.counts)));
        let feed = Arc::clone(feeds.entry(log.clone()).or_insert_with(new));
        feed.lease();
        Ok(Lease(feed))
    }

    /// Waits until the end of the log is known, and it is followed.
    async fn begun(self: &Arc<Self>, feed: &Arc<Feed>, window: Duration) -> Result<()> {
        let begin = || async {
            follow::begin(&*self.events, feed, window).await?;
            let closed = self.closed.clone();
            let following = follow::follow(Arc::clone(self), Arc::clone(feed));
            self.tasks.spawn(async move { closed.run_until_cancelled(following).await });
            Ok(())
        };
        feed.begun.get_or_try_init(begin).await.copied()
    }

    /// Gives a feed up, where nobody is interested in it any more; whether that is so.
    fn forget(&self, feed: &Arc<Feed>) -> bool {
        let mut feeds = self.feeds();
        let unused = !feed.is_leased();
        if unused {
            feeds.remove(&feed.log);
        }
        unused
    }
}
