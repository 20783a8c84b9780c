//! Publishing at a steady rate, whatever the server does about it.

use super::meter::Meter;
use super::plan::Plan;
use mainstay_api::Problem;
use mainstay_api::events::{PublishEvent, PublishEvents};
use mainstay_client::{Client, ClientError};
use mainstay_core::Result;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Most events of one call.
const MAX_BATCH: usize = 100;
/// How long events are published again where that fails; then nobody knows whether they are stored.
const PATIENCE: Duration = Duration::from_secs(15);
/// Pause between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// Publishes the events of a room, one call after the other.
pub(super) struct Publisher {
    pub plan: Arc<Plan>,
    pub room: u32,
    /// The nodes; another one is tried where one fails.
    pub clients: Arc<[Client]>,
    /// When the run begins.
    pub start: Instant,
    /// How long calls take.
    pub calls: Arc<Meter>,
}

/// What became of the events of a room.
#[derive(Debug, Default)]
pub(super) struct Published {
    /// How many there were, numbered from 0.
    pub total: u64,
    /// Numbers of which nobody knows whether they are stored: first and end.
    unsure: Vec<(u64, u64)>,
    /// Why, at the last of them.
    pub failure: Option<Box<Problem>>,
}

impl Published {
    /// Whether an event is stored for certain.
    pub(super) fn is_certain(&self, number: u64) -> bool {
        !self.unsure.iter().any(|(first, end)| (*first..*end).contains(&number))
    }

    /// How many are.
    pub(super) fn certain(&self) -> u64 {
        self.total - self.unsure()
    }

    /// How many perhaps are not.
    pub(super) fn unsure(&self) -> u64 {
        self.unsure.iter().map(|(first, end)| end - first).sum()
    }
}

impl Publisher {
    /// Publishes everything.
    ///
    /// # Errors
    /// Where the server refuses for good.
    pub(super) async fn run(self) -> Result<Published, ClientError> {
        let mut published = Published::default();
        let total = self.plan.events_of(self.room);
        let mut free_since = self.start;
        while published.total < total {
            tokio::time::sleep_until(self.due(published.total)).await;
            let first = published.total;
            let batch = self.batch(first, total, free_since).map_err(|error| ClientError::Problem(error.problem))?;
            published.total += batch.len() as u64;
            if let Some(failure) = self.store(batch).await? {
                published.unsure.push((first, published.total));
                published.failure = Some(failure);
            }
            free_since = Instant::now();
        }
        Ok(published)
    }

    fn due(&self, number: u64) -> Instant {
        self.start + self.plan.due(self.room, number)
    }

    /// Everything that is due. Where the call before this one took so long that an event had to wait, its way counts
    /// from when it was due: what a slow server keeps waiting is slow as well.
    fn batch(&self, first: u64, total: u64, free_since: Instant) -> Result<Vec<PublishEvent>> {
        let now = Instant::now();
        let due = (first..total).take(MAX_BATCH).take_while(|number| *number == first || self.due(*number) <= now);
        let stamped = due.map(|number| {
            let due = self.due(number);
            let from = if due < free_since { due } else { now };
            let at_us = u64::try_from(from.duration_since(self.start).as_micros()).unwrap_or(u64::MAX);
            self.plan.event(self.room, number, at_us)
        });
        stamped.collect()
    }

    /// Publishes a batch; why nobody knows whether it is stored, where that is so. The ids of the events see to it that
    /// an attempt more stores nothing twice.
    async fn store(&self, events: Vec<PublishEvent>) -> Result<Option<Box<Problem>>, ClientError> {
        let publish = PublishEvents { events };
        let began = Instant::now();
        let mut node = self.room as usize;
        loop {
            let client = &self.clients[node % self.clients.len()];
            let error = match client.events().publish(&self.plan.stream, &publish, None).await {
                Ok(_) => {
                    let took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
                    let at_us = u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX);
                    self.calls.record(took_us, at_us);
                    return Ok(None);
                }
                Err(error) if error.is_retryable() => error,
                Err(error) => return Err(error),
            };
            if began.elapsed() > PATIENCE {
                return Ok(Some(Box::new(error.problem())));
            }
            node += 1;
            tokio::time::sleep(PAUSE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_uncertain_is_told_apart() {
        let published = Published { total: 10, unsure: vec![(2, 4), (9, 10)], failure: None };
        assert_eq!((published.certain(), published.unsure()), (7, 3));
        let certain: Vec<u64> = (0..10).filter(|number| published.is_certain(*number)).collect();
        assert_eq!(certain, [0, 1, 4, 5, 6, 7, 8]);
    }
}
