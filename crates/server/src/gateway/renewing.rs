//! The background job that keeps uses of providers from ending by themselves.

use crate::Services;
use crate::jobs::{self, InvalidJob};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Settings of the job. Every node renews its own uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewing {
    /// Pause between two runs, in milliseconds: a third of how long a use lasts.
    pub interval_ms: u64,
}

impl Default for Renewing {
    /// Every 20 seconds, for uses that last a minute.
    fn default() -> Self {
        Self { interval_ms: 20_000 }
    }
}

impl Renewing {
    /// Checks the settings.
    ///
    /// # Errors
    /// The first setting out of its bounds.
    pub fn validate(self) -> Result<Self, InvalidJob> {
        jobs::check(&[jobs::interval_bound(self.interval_ms)])?;
        Ok(self)
    }

    /// Runs until told to stop.
    pub async fn run(self, services: Arc<Services>, shutdown: CancellationToken) {
        jobs::again(self.interval_ms, &shutdown, || async {
            let Some(gateway) = &services.gateway else { return };
            if let Err(error) = gateway.renew().await {
                tracing::warn!(%error, "uses of providers were not renewed");
            }
        })
        .await;
    }
}
