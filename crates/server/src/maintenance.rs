//! The background job that deletes what has expired.

use crate::Services;
use crate::jobs::{self, InvalidJob};
use mainstay_core::Result;
use mainstay_core::api::Namespace;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Settings of the job. Any number of nodes may run it at once: to delete twice is to delete once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Maintenance {
    /// Pause between two runs, in milliseconds.
    pub interval_ms: u64,
    /// Most records deleted in one step.
    pub step_limit: u32,
    /// Most steps of one run, so that a large backlog leaves the store room for other work.
    pub max_steps: u32,
}

/// What a run deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Purged {
    /// Conversations.
    pub conversations: u32,
    /// Documents, and revisions of documents.
    pub documents: u32,
    /// Messages.
    pub messages: u32,
    /// Instances.
    pub instances: u32,
    /// Connections that were in rooms, and memberships.
    pub rooms: u32,
    /// Events that were too old.
    pub events: u32,
    /// Sessions, challenges, keys and counts of guesses.
    pub credentials: u32,
}

impl Default for Maintenance {
    /// Every 10 seconds, in steps of 1,000, at most 20 of them.
    fn default() -> Self {
        Self { interval_ms: 10_000, step_limit: 1_000, max_steps: 20 }
    }
}

impl Maintenance {
    /// Checks the settings.
    ///
    /// # Errors
    /// The first setting out of its bounds.
    pub fn validate(self) -> Result<Self, InvalidJob> {
        jobs::check(&[
            jobs::interval_bound(self.interval_ms),
            ("step_limit", self.step_limit.into(), 1, 10_000),
            ("max_steps", self.max_steps.into(), 1, 1_000),
        ])?;
        Ok(self)
    }

    /// Deletes what has expired, in steps.
    ///
    /// # Errors
    /// Those of the store; what was deleted until then stays deleted.
    pub async fn run_once(&self, services: &Services) -> Result<Purged> {
        let mut purged = Purged { events: events(services).await?, ..Purged::default() };
        for _ in 0..self.max_steps {
            if !services.gateway_keys.purge().await? {
                break;
            }
        }
        for _ in 0..self.max_steps {
            let conversations = services.conversations.purge(self.step_limit).await?;
            let documents = services.documents.purge(self.step_limit).await?;
            let messages = services.mail.purge(self.step_limit).await?;
            let instances = services.presence.purge(self.step_limit).await?;
            let rooms = services.rooms.purge(self.step_limit).await?;
            let credentials = services.identity.purge(self.step_limit).await?;
            let connections = services.connections.purge(services.clock.now(), self.step_limit).await?;
            let counts = [conversations, documents, messages, instances, rooms, credentials, connections];
            services.metrics.purged(counts.into_iter().fold(0, u32::saturating_add));
            purged.conversations = purged.conversations.saturating_add(conversations);
            purged.documents = purged.documents.saturating_add(documents);
            purged.messages = purged.messages.saturating_add(messages);
            purged.instances = purged.instances.saturating_add(instances);
            purged.rooms = purged.rooms.saturating_add(rooms);
            purged.credentials = purged.credentials.saturating_add(credentials);
            if counts.into_iter().all(|count| count < self.step_limit) {
                break;
            }
        }
        Ok(purged)
    }

    /// Runs again and again until told to stop. A run that fails is logged, and the next one tries again.
    pub async fn run(self, services: Arc<Services>, shutdown: CancellationToken) {
        let run = || async {
            match self.run_once(&services).await {
                Ok(purged) if purged == Purged::default() => {}
                Ok(purged) => tracing::info!(
                    purged.conversations,
                    purged.documents,
                    purged.messages,
                    purged.instances,
                    purged.rooms,
                    purged.credentials,
                    purged.events,
                    "expired records deleted"
                ),
                Err(error) => tracing::warn!(%error, internal = error.internal, "maintenance failed"),
            }
        };
        jobs::again(self.interval_ms, &shutdown, run).await;
    }
}

/// Removes events that are too old from the namespaces in which a log is followed, and from `default`; elsewhere the next
/// publication does it.
async fn events(services: &Services) -> Result<u32> {
    let followed = services.live.heads().into_iter().map(|(log, _)| log.namespace);
    let namespaces: BTreeSet<Namespace> = followed.chain([Namespace::default()]).collect();
    let mut events = 0_u64;
    for namespace in namespaces {
        for (stream, purged) in services.events.purge(&namespace).await? {
            events = events.saturating_add(purged.events);
            services.metrics.events.trimmed_unread(&stream, purged.unread);
        }
    }
    let events = u32::try_from(events).unwrap_or(u32::MAX);
    services.metrics.purged(events);
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_would_spin_or_stall_are_refused() {
        assert!(Maintenance::default().validate().is_ok());
        for broken in [
            Maintenance { interval_ms: 0, ..Maintenance::default() },
            Maintenance { step_limit: 0, ..Maintenance::default() },
            Maintenance { max_steps: u32::MAX, ..Maintenance::default() },
        ] {
            assert!(broken.validate().is_err(), "{broken:?}");
        }
    }
}
