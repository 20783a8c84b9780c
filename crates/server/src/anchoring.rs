//! The background job that signs where the chains of the audit trail end, and removes what retention lets go.

use crate::Services;
use crate::jobs::{self, InvalidJob};
use mainstay_core::api::audit::MAX_ENTRIES;
use mainstay_core::{Error, Result};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Longest time that the last checkpoint of a process may take.
const LAST_CHECKPOINT: Duration = Duration::from_secs(10);

/// Settings of the job. Any number of nodes may run it at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchoring {
    /// Pause between two runs, in milliseconds: what is younger than this may not be anchored yet.
    pub interval_ms: u64,
    /// Most steps of one run that remove entries, each of at most 1,000 of every chain.
    pub max_steps: u32,
}

impl Default for Anchoring {
    /// Every five minutes, at most 20 steps.
    fn default() -> Self {
        Self { interval_ms: 5 * 60 * 1_000, max_steps: 20 }
    }
}

impl Anchoring {
    /// Checks the settings.
    ///
    /// # Errors
    /// The first setting out of its bounds.
    pub fn validate(self) -> Result<Self, InvalidJob> {
        jobs::check(&[jobs::interval_bound(self.interval_ms), ("max_steps", self.max_steps.into(), 1, 1_000)])?;
        Ok(self)
    }

    /// Makes a checkpoint where the trail has grown, and removes what is too old.
    ///
    /// # Errors
    /// Those of the key, of the log and of the store.
    pub async fn run_once(&self, services: &Services) -> Result<()> {
        let made = services.audit.anchor().await?;
        if made.written {
            tracing::info!(number = made.number, chains = made.chains, "the audit trail is anchored");
        }
        for _ in 0..self.max_steps {
            let trimmed = services.audit.expire(MAX_ENTRIES).await?;
            if trimmed.removed > 0 {
                tracing::info!(
                    removed = trimmed.removed,
                    chains = trimmed.chains,
                    "old entries of the audit trail removed"
                );
            }
            if !trimmed.more {
                break;
            }
        }
        Ok(())
    }

    /// Runs again and again until told to stop. A run that fails is logged, and the next one tries again.
    pub async fn run(self, services: Arc<Services>, shutdown: CancellationToken) {
        let run = || async { self.run_once(&services).await.unwrap_or_else(|error| warn(&error)) };
        jobs::again(self.interval_ms, &shutdown, run).await;
    }

    /// Anchors what was recorded up to an orderly stop, once nothing is recorded any more.
    pub async fn finish(services: &Services) {
        match tokio::time::timeout(LAST_CHECKPOINT, services.audit.anchor()).await {
            Ok(Ok(made)) => tracing::debug!(number = made.number, "the audit trail is anchored"),
            Ok(Err(error)) => warn(&error),
            Err(_) => tracing::warn!("the last checkpoint of the audit trail did not end in time"),
        }
    }
}

fn warn(error: &Error) {
    tracing::warn!(%error, internal = error.internal, "the audit trail could not be anchored");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_would_spin_or_stall_are_refused() {
        assert!(Anchoring::default().validate().is_ok());
        for broken in
            [Anchoring { interval_ms: 0, ..Anchoring::default() }, Anchoring { max_steps: 0, ..Anchoring::default() }]
        {
            assert!(broken.validate().is_err(), "{broken:?}");
        }
    }
}
