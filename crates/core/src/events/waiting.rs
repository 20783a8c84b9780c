//! Waiting for the tail of logs by the wake-ups of their store.

use super::port::{EventStore, LogName, Tail};
use crate::error::Result;
use crate::{Hint, HintSource, Topic};
use futures::StreamExt;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// What [`EventStore::wait`] promises, for a store whose writes give wake-ups. Where others write as well, it looks by itself
/// in between.
///
/// # Errors
/// Those of the store.
pub async fn wait_by_hints(
    store: &(impl EventStore + ?Sized),
    source: &dyn HintSource,
    tails: &[Tail],
    at_most: Duration,
    look_every: Option<Duration>,
) -> Result<Vec<LogName>> {
    let end = Instant::now() + at_most;
    // Before the first look, so that no write falls between it and the wait.
    let mut hints = source.subscribe();
    loop {
        // A log that was begun anew may end before the place.
        let mut behind = Vec::new();
        for tail in tails {
            if store.state(&tail.log).await?.last != tail.after {
                behind.push(tail.log.clone());
            }
        }
        if !behind.is_empty() {
            return Ok(behind);
        }
        loop {
            let look = look_every.map_or(end, |pause| end.min(Instant::now() + pause));
            match timeout_at(look, hints.next()).await {
                Ok(Some(hint)) if concerns(&hint, tails) => break,
                Ok(Some(_)) => {}
                Err(_) if look < end => break,
                Ok(None) | Err(_) => return Ok(Vec::new()),
            }
        }
    }
}

fn concerns(hint: &Hint, tails: &[Tail]) -> bool {
    match hint {
        Hint::Everything => true,
        Hint::Topic(Topic::Events(namespace, stream)) => {
            tails.iter().any(|tail| tail.log.namespace == *namespace && tail.log.stream == *stream)
        }
        Hint::Topic(_) => false,
    }
}
