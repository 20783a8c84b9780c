//! The background jobs that check providers, and that look for circuits nobody has told of.

use crate::Services;
use crate::jobs::{self, InvalidJob};
use mainstay_core::Result;
use mainstay_gateway::checking::Checks;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Settings of the job that checks providers. Any number of nodes may run it at once: each check is claimed in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checking {
    /// Pause between two looks at what is due, in milliseconds.
    pub interval_ms: u64,
}

/// Settings of the job that looks at circuits. Any number of nodes may run it at once: a change is one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CircuitLook {
    /// Pause between two looks, in milliseconds.
    pub interval_ms: u64,
}

impl Default for Checking {
    /// Every 5 seconds, which is as often as a provider may be checked.
    fn default() -> Self {
        Self { interval_ms: 5_000 }
    }
}

impl Default for CircuitLook {
    /// Every minute.
    fn default() -> Self {
        Self { interval_ms: 60_000 }
    }
}

impl Checking {
    /// Checks the settings.
    ///
    /// # Errors
    /// The first setting out of its bounds.
    pub fn validate(self) -> Result<Self, InvalidJob> {
        jobs::check(&[jobs::interval_bound(self.interval_ms)])?;
        Ok(self)
    }

    /// Makes the checks that are due, where this node has a gateway.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn run_once(&self, services: &Services) -> Result<Checks> {
        match &services.gateway {
            Some(gateway) => gateway.check_due().await,
            None => Ok(Checks::default()),
        }
    }

    /// Runs again and again until told to stop. A run that fails is logged, and the next one tries again.
    pub async fn run(self, services: Arc<Services>, shutdown: CancellationToken) {
        let run = || async {
            match self.run_once(&services).await {
                Ok(made) if made == Checks::default() => {}
                Ok(made) => tracing::debug!(made.healthy, made.failed, made.unclear, "providers were checked"),
                Err(error) => tracing::warn!(%error, internal = error.internal, "providers were not checked"),
            }
        };
        jobs::again(self.interval_ms, &shutdown, run).await;
    }
}

impl CircuitLook {
    /// Checks the settings.
    ///
    /// # Errors
    /// The first setting out of its bounds.
    pub fn validate(self) -> Result<Self, InvalidJob> {
        jobs::check(&[jobs::interval_bound(self.interval_ms)])?;
        Ok(self)
    }

    /// Looks once.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn run_once(&self, services: &Services) -> Result<()> {
        services.circuits.look().await
    }

    /// Runs again and again until told to stop. A run that fails is logged, and the next one tries again.
    pub async fn run(self, services: Arc<Services>, shutdown: CancellationToken) {
        let run = || async {
            if let Err(error) = self.run_once(&services).await {
                tracing::warn!(%error, internal = error.internal, "circuits were not looked at");
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
        assert!(Checking::default().validate().is_ok() && CircuitLook::default().validate().is_ok());
        assert!(Checking { interval_ms: 0 }.validate().is_err());
        assert!(CircuitLook { interval_ms: 0 }.validate().is_err());
    }
}
