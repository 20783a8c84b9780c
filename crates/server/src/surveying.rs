//! The background job that looks how streams and consumer groups stand, for the metrics.

use crate::Services;
use crate::jobs::{self, InvalidJob};
use mainstay_core::api::Namespace;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

/// Settings of the job. It looks at the namespace `default` alone: others would be labels without number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Surveying {
    /// Pause between two runs, in milliseconds.
    pub interval_ms: u64,
    /// Longest time of a run, in milliseconds; what it has not come to by then is said to be unknown.
    pub limit_ms: u64,
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
    pub fn validate(self) -> Result<Self, InvalidJob> {
        jobs::check(&[jobs::interval_bound(self.interval_ms), ("limit_ms", self.limit_ms, 10, 60 * 1_000)])?;
        Ok(self)
    }

    /// Looks at every stream once.
    pub async fn run_once(&self, services: &Services) {
        let (observer, metrics) = (&services.observer, &services.metrics.standing);
        let (namespace, end) = (Namespace::default(), Instant::now() + Duration::from_millis(self.limit_ms));
        let heads = services.live.heads();
        for (stream, options) in observer.streams().iter() {
            match timeout_at(end, observer.survey(&namespace, stream, options)).await {
                Ok(Ok(survey)) => {
                    metrics.surveyed(&survey);
                    let followed = heads.iter().filter(|(log, _)| log.namespace == namespace && log.stream == *stream);
                    let places = followed.map(|(log, head)| (log.partition, head.offset));
                    metrics.node_behind(stream, survey.behind_ms(places));
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
        jobs::again(self.interval_ms, &shutdown, || self.run_once(&services)).await;
    }
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
