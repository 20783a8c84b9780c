//! What the cases of wake-ups share: a subscription, and the patience to see it settle.

use super::Bed;
use futures::StreamExt;
use futures::stream::BoxStream;
use mainstay_core::{Hint, Topic};
use std::time::Duration;

/// How long a hint may take: far beyond any latency that a user would bear.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// Silence after which hints of earlier writes, and of the subscription itself, have arrived.
const SETTLED: Duration = Duration::from_millis(300);
/// Most hints that are passed over while others write to the same store.
const MAX_PASSED: usize = 100_000;

/// A subscription that exists, and has said what it had to say of earlier writes.
pub(super) struct Subscriber(BoxStream<'static, Hint>);

impl Subscriber {
    pub async fn on(bed: &Bed) -> Self {
        let mut subscriber = Self(bed.stores().hints.subscribe());
        subscriber.settle().await;
        subscriber
    }

    /// Passes over hints until there is silence, but not for ever: others may write all the time.
    pub async fn settle(&mut self) {
        let quiet = async {
            while let Ok(hint) = tokio::time::timeout(SETTLED, self.0.next()).await {
                assert!(hint.is_some(), "the stream of hints ended");
            }
        };
        drop(tokio::time::timeout(MAX_WAIT, quiet).await);
    }

    /// Waits for a wake-up of this topic.
    pub async fn woken(&mut self, topic: &Topic, by: &str) {
        let woken = async {
            for _ in 0..MAX_PASSED {
                match self.0.next().await {
                    Some(Hint::Everything) => return,
                    Some(Hint::Topic(of)) if of == *topic => return,
                    Some(Hint::Topic(_)) => {}
                    None => panic!("the stream of hints ended"),
                }
            }
            panic!("{MAX_PASSED} hints, none of {topic:?}");
        };
        let within = tokio::time::timeout(MAX_WAIT, woken).await;
        assert!(within.is_ok(), "{by} did not wake {topic:?} within {} s", MAX_WAIT.as_secs());
    }
}
