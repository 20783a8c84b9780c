//! The background job that looks how streams and consumer groups stand, for the metrics.

use crate::Services;
use mainstay_core::Error;
use mainstay_core::api::Namespace;
use mainstay_core::api::events::StreamName;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, timeout_at};
use tokio_util::sync::CancellationToken;

/// Settings of the job. It looks at the namespace `default` alone: others would be labels without number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Surveying {
    /// Pause between two runs, in milliseconds.
    pub interval_ms: u64,
    /// Longest time of a run, in milliseconds; what it has not come to by then is said to be unknown.
    pub limit_ms: u64,
}

/// A setting that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {value} is not between {least} and {most}")]
pub struct InvalidSurveying {
    setting: &'static str,
    value: u64,
    least: u64,
    most: u64,
}

impl Default for Surveying {
    /// Every 15 seconds, for 10 seconds at most.
    fn default() -> Self {
        Self { interval_ms: 15_000, limit_ms: 10_000 }
    }
}

impl Surveying {
    /// Checks the settings.
    ///
    /// # Errors
    /// The first setting out of its bounds.
    pub fn validate(self) -> Result<Self, InvalidSurveying> {
        let bounds =
            [("interval_ms", self.interval_ms, 100, 24 * 60 * 60 * 1_000), ("limit_ms", self.limit_ms, 10, 60 * 1_000)];
        match bounds.into_iter().find(|(_, value, least, most)| !(least..=most).contains(&value)) {
            Some((setting, value, least, most)) => Err(InvalidSurveying { setting, value, least, most }),
            None => Ok(self),
        }
    }

    /// Looks at every stream once.
    pub async fn run_once(&self, services: &Services) {
        let (observer, metrics) = (&services.observer, &services.metrics.standing);
        let (namespace, end) = (Namespace::default(), Instant::now() + Duration::from_millis(self.limit_ms));
        for (stream, options) in observer.streams().iter() {
            let look = async {
                let survey = observer.survey(&namespace, stream, options).await?;
                Ok::<_, Error>((survey, behind_ms(services, &namespace, stream).await?))
            };
            match timeout_at(end, look).await {
                Ok(Ok((survey, behind_ms))) => {
                    metrics.surveyed(&survey);
                    metrics.node_behind(stream, behind_ms);
                }
                Ok(Err(error)) => {
                    tracing::debug!(%error, internal = error.internal, %stream, "how a stream stands cannot be said");
                    metrics.not_surveyed(stream);
                }
                Err(_) => metrics.not_surveyed(stream),
            }
        }
    }

    /// Runs again and again until told to stop.
    pub async fn run(self, services: Arc<Services>, shutdown: CancellationToken) {
        let mut ticks = tokio::time::interval(Duration::from_millis(self.interval_ms.max(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let work = async {
            loop {
                ticks.tick().await;
                self.run_once(&services).await;
            }
        };
        let _ended = shutdown.run_until_cancelled(work).await;
    }
}

/// How far this node is behind the partition of a stream that it is furthest behind; none where it follows none.
async fn behind_ms(
    services: &Services,
    namespace: &Namespace,
    stream: &StreamName,
) -> mainstay_core::Result<Option<u64>> {
    let mut furthest = None;
    let heads = services.live.heads().into_iter();
    for (log, head) in heads.filter(|(log, _)| log.namespace == *namespace && log.stream == *stream) {
        furthest = furthest.max(Some(services.observer.behind_ms(&log, &head).await?));
    }
    Ok(furthest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_would_spin_or_stall_are_refused() {
        assert!(Surveying::default().validate().is_ok());
        for broken in
            [Surveying { interval_ms: 0, ..Surveying::default() }, Surveying { limit_ms: 0, ..Surveying::default() }]
        {
            assert!(broken.validate().is_err(), "{broken:?}");
        }
    }
}
