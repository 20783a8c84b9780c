//! The background job that refreshes credentials of providers ahead of need.

use crate::Services;
use crate::jobs::{self, InvalidJob};
use mainstay_core::Result;
use mainstay_core::providers::credentials::Ran;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Settings of the job. Any number of nodes may run it at once: the lease of each credential decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refreshing {
    /// Pause between two runs, in milliseconds.
    pub interval_ms: u64,
}

impl Default for Refreshing {
    /// Every 15 seconds.
    fn default() -> Self {
        Self { interval_ms: 15_000 }
    }
}

impl Refreshing {
    /// Checks the settings.
    ///
    /// # Errors
    /// The first setting out of its bounds.
    pub fn validate(self) -> Result<Self, InvalidJob> {
        jobs::check(&[jobs::interval_bound(self.interval_ms)])?;
        Ok(self)
    }

    /// Refreshes what is to be refreshed by now.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn run_once(&self, services: &Services) -> Result<Ran> {
        services.tokens.refresh_due().await
    }

    /// Runs again and again until told to stop. A run that fails is logged, and the next one tries again.
    pub async fn run(self, services: Arc<Services>, shutdown: CancellationToken) {
        let run = || async {
            match self.run_once(&services).await {
                Ok(ran) if ran == Ran::default() => {}
                Ok(ran) => tracing::info!(ran.refreshed, ran.left, "credentials were refreshed ahead of need"),
                Err(error) => tracing::warn!(%error, internal = error.internal, "credentials were not refreshed"),
            }
        };
        jobs::again(self.interval_ms, &shutdown, run).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_would_spin_are_refused() {
        assert!(Refreshing::default().validate().is_ok());
        assert!(Refreshing { interval_ms: 0 }.validate().is_err());
    }
}
