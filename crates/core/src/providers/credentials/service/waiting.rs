//! Waiting until something may have changed in a pool.

use super::Whose;
use crate::{Hint, HintSource, Topic};
use futures::StreamExt;
use futures::stream::BoxStream;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Longest wait before somebody looks again: a wake-up may be lost.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A subscription to the wake-ups of a pool. Made before a read, it misses nothing after it.
pub(super) struct Waiting {
    hints: BoxStream<'static, Hint>,
    topic: Topic,
}

impl Waiting {
    /// Subscribes.
    pub fn new(source: &dyn HintSource, whose: &Whose) -> Self {
        let topic = Topic::Pool(whose.pool.namespace.clone(), whose.pool.pool.clone());
        Self { hints: source.subscribe(), topic }
    }

    /// Waits until the pool may have changed, or that moment, or until it is time to look again.
    pub async fn woken(&mut self, until: Instant) {
        let until = until.min(Instant::now() + LOOK_AGAIN);
        let heard = async {
            while let Some(hint) = self.hints.next().await {
                if matches!(&hint, Hint::Everything) || hint == Hint::Topic(self.topic.clone()) {
                    return;
                }
            }
            std::future::pending().await
        };
        let _time_is_up = timeout_at(until, heard).await;
    }
}
