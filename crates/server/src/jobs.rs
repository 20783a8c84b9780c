//! What background jobs have in common: the bounds of their settings, and running again and again.

use std::time::Duration;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// A setting of a job that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {value} is not between {least} and {most}")]
pub struct InvalidJob {
    setting: &'static str,
    value: u64,
    least: u64,
    most: u64,
}

/// A setting, its value, and its bounds.
pub(crate) type Bound = (&'static str, u64, u64, u64);

/// Bounds of the pause between two runs, in milliseconds.
pub(crate) fn interval_bound(interval_ms: u64) -> Bound {
    ("interval_ms", interval_ms, 100, 24 * 60 * 60 * 1_000)
}

/// Checks settings.
///
/// # Errors
/// The first one out of its bounds.
pub(crate) fn check(bounds: &[Bound]) -> Result<(), InvalidJob> {
    match bounds.iter().find(|(_, value, least, most)| !(least..=most).contains(&value)) {
        Some(&(setting, value, least, most)) => Err(InvalidJob { setting, value, least, most }),
        None => Ok(()),
    }
}

/// Runs a job at once, and again with pauses between, until told to stop, which ends a run in its middle.
pub(crate) async fn again<F: Future<Output = ()>>(
    interval_ms: u64,
    shutdown: &CancellationToken,
    mut run: impl FnMut() -> F,
) {
    let mut ticks = tokio::time::interval(Duration::from_millis(interval_ms.max(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let work = async {
        loop {
            ticks.tick().await;
            run().await;
        }
    };
    let _ended = shutdown.run_until_cancelled(work).await;
}
