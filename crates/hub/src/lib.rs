//! Live subscriptions: many readers of one process wait on the wake-ups of one store.
//!
//! A wake-up carries no data. A reader keeps its own position and reads the store, so a wake-up may be late, repeated
//! or merged with others, and still nothing is lost.
//!
//! [`live`] stands apart from that: it carries the events of streams themselves, from their logs to many connections.

pub mod live;
mod pump;
mod topics;

use mainstay_core::{HintSource, Topic};
use std::sync::{Arc, Once};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use topics::Topics;

/// Where readers wait for changes. Clones share the same subscriptions.
#[derive(Clone)]
pub struct Hub {
    shared: Arc<Shared>,
}

struct Shared {
    source: Arc<dyn HintSource>,
    topics: Arc<Topics>,
    pump: Once,
    tasks: TaskTracker,
    closed: CancellationToken,
}

/// Why a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Something may have changed since the last wait, or since the watch was created.
    Changed,
    /// Nothing was heard for the given time.
    TimedOut,
    /// The hub was closed: nothing will be heard any more, and waiting again returns at once.
    Closed,
}

/// One reader's view of one topic.
///
/// Create it before the first read of the store: then no change falls between the read and the wait.
pub struct Watch {
    topic: Topic,
    generation: watch::Receiver<u64>,
    shared: Arc<Shared>,
}

impl Hub {
    /// A hub on the wake-ups of a store. Nothing is subscribed to until somebody watches.
    #[must_use]
    pub fn new(source: Arc<dyn HintSource>) -> Self {
        let shared = Shared {
            source,
            topics: Arc::default(),
            pump: Once::new(),
            tasks: TaskTracker::new(),
            closed: CancellationToken::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Watches a topic. The first watch of a hub starts its task, within the calling Tokio runtime.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    #[must_use]
    pub fn watch(&self, topic: Topic) -> Watch {
        let shared = &self.shared;
        let generation = shared.topics.join(&topic);
        // The store is subscribed to before this returns, so before the reader's first read.
        shared.pump.call_once(|| {
            if !shared.closed.is_cancelled() {
                let pump = pump::Pump::subscribe(Arc::clone(&shared.source), Arc::clone(&shared.topics));
                shared.tasks.spawn(pump.run(shared.closed.clone()));
            }
        });
        Watch { topic, generation, shared: Arc::clone(shared) }
    }

    /// How many readers watch now.
    #[must_use]
    pub fn watches(&self) -> usize {
        self.shared.topics.watches()
    }

    /// Ends every wait with [`Wake::Closed`] and waits for the hub's task. Calling it twice does no harm.
    pub async fn close(&self) {
        self.shared.closed.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.closed.cancel();
    }
}

impl Watch {
    /// Waits for a change, at most for the given time. A change made after the last return, or after the creation,
    /// is never missed; several of them are one.
    pub async fn changed(&mut self, at_most: Duration) -> Wake {
        tokio::select! {
            biased;
            () = self.shared.closed.cancelled() => Wake::Closed,
            // The sender lives in the table as long as this watch does: an error cannot come before the drop.
            heard = self.generation.changed() => if heard.is_ok() { Wake::Changed } else { Wake::Closed },
            () = tokio::time::sleep(at_most) => Wake::TimedOut,
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.topics.leave(&self.topic);
    }
}
