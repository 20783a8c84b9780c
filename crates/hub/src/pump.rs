//! The task that carries the store's hints to the watches.

use crate::topics::Topics;
use futures::StreamExt;
use futures::stream::BoxStream;
use mainstay_core::{Hint, HintSource};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Pause before a subscription that ended is renewed; doubles with each one that ends without a hint.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest such pause: readers look by themselves every few seconds anyway.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

pub(crate) struct Pump {
    source: Arc<dyn HintSource>,
    topics: Arc<Topics>,
    hints: BoxStream<'static, Hint>,
}

impl Pump {
    /// Subscribes, so that no hint from now on is missed.
    pub(crate) fn subscribe(source: Arc<dyn HintSource>, topics: Arc<Topics>) -> Self {
        let hints = source.subscribe();
        Self { source, topics, hints }
    }

    /// Carries hints until the hub is closed.
    pub(crate) async fn run(mut self, closed: CancellationToken) {
        let _ended = closed.run_until_cancelled(self.carry()).await;
    }

    async fn carry(&mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            while let Some(hint) = self.hints.next().await {
                pause = FIRST_PAUSE;
                self.topics.wake(&hint);
            }
            tracing::warn!(pause_ms = pause.as_millis(), "the store's wake-ups ended; subscribing again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            self.hints = self.source.subscribe();
            // Whatever was said meanwhile was said to nobody.
            self.topics.wake(&Hint::Everything);
        }
    }
}
