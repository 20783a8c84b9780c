//! What is done for credentials in the background: refreshing ahead of need, and sealing anew.

use super::{Refreshed, TokenService, Whose};
use crate::error::Result;
use crate::providers::credentials::port::{
    BeginRefresh, Begun, DueCredential, FailRefresh, ListDue, RefreshEnd, ResealCredential,
};
use crate::{Caller, Scope, secrets};
use futures::StreamExt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Most credentials that one run refreshes.
const MAX_DUE: u32 = 256;
/// Refreshes under way at a time in one run.
const AT_ONCE: usize = 8;
/// How long a credential is left alone that cannot be refreshed as things are.
const POSTPONED: Duration = Duration::from_secs(10 * 60);
/// Credentials that are listed at a time to be sealed anew.
const RESEAL_STEP: u32 = 128;

/// What a run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ran {
    /// Credentials that are current now.
    pub refreshed: u32,
    /// Credentials that are not.
    pub left: u32,
}

impl TokenService {
    /// Refreshes what is to be refreshed by now. Any number of nodes may do so at once: the lease decides.
    ///
    /// # Errors
    /// Those of the store; what was refreshed until then is.
    pub async fn refresh_due(self: &Arc<Self>) -> Result<Ran> {
        let due = self.parts.store.due(ListDue { now: self.parts.clock.now(), limit: MAX_DUE }).await?;
        let refreshes = due.into_iter().map(|due| {
            let service = Arc::clone(self);
            async move { service.refresh_one(due).await }
        });
        let mut outcomes = futures::stream::iter(refreshes).buffer_unordered(AT_ONCE);
        let mut ran = Ran::default();
        while let Some(outcome) = outcomes.next().await {
            match outcome {
                Ok(true) => ran.refreshed += 1,
                Ok(false) => ran.left += 1,
                Err(error) => {
                    tracing::warn!(%error, internal = error.internal, "a credential was not refreshed");
                    ran.left += 1;
                }
            }
        }
        Ok(ran)
    }

    async fn refresh_one(self: &Arc<Self>, due: DueCredential) -> Result<bool> {
        let whose = Whose { pool: due.pool, provider: due.provider };
        match self.refresh(&whose, due.version).await? {
            Refreshed::Current(_) => Ok(true),
            Refreshed::Refused(reason) => {
                tracing::warn!(%whose, reason, "a credential cannot be refreshed as things are");
                self.postpone(&whose, due.version).await?;
                Ok(false)
            }
            Refreshed::Later { .. } | Refreshed::Dead(_) | Refreshed::NotFound => Ok(false),
        }
    }

    /// Lets the others have their turn first.
    async fn postpone(&self, whose: &Whose, version: u64) -> Result<()> {
        let now = self.parts.clock.now();
        let begin = BeginRefresh {
            pool: whose.pool.clone(),
            provider: whose.provider.clone(),
            seen: version,
            holder: format!("{}/{}", self.parts.node, self.attempts.fetch_add(1, Ordering::Relaxed)),
            until: now.after(POSTPONED),
            forced: false,
            now,
        };
        if let Begun::Granted(record) = self.parts.store.begin_refresh(begin).await? {
            let end = RefreshEnd::Transient { until: now.after(POSTPONED), in_doubt: record.refresh.in_doubt };
            let (pool, provider) = (whose.pool.clone(), whose.provider.clone());
            let fence = record.refresh.fence;
            self.parts.store.fail_refresh(FailRefresh { pool, provider, version, fence, end, now }).await?;
        }
        Ok(())
    }

    /// Checks that every key is in the ring that a credential is sealed with.
    ///
    /// # Errors
    /// `secrets.key_missing`, naming the keys.
    pub async fn check_ring(&self) -> Result<()> {
        secrets::check(self.parts.rules.ring.as_ref(), self.parts.store.credential_seal_keys().await?)
    }

    /// The keys that credentials are sealed with.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn seal_keys(&self, caller: &Caller) -> Result<Vec<String>> {
        caller.require_everywhere(Scope::IdentityAdmin)?;
        self.parts.store.credential_seal_keys().await
    }

    /// Seals every credential with the primary key; returns how many were sealed with another. A refresh under way goes on.
    ///
    /// # Errors
    /// Those of the store; `secrets.key_missing`, `secrets.unreadable`.
    pub async fn reseal(&self, caller: &Caller) -> Result<u32> {
        caller.require_everywhere(Scope::IdentityAdmin)?;
        self.check_ring().await?;
        // Without a ring, none is sealed.
        let Ok(ring) = self.ring() else { return Ok(0) };
        let others = async || self.parts.store.credentials_not_sealed_with(&ring.primary().id, RESEAL_STEP).await;
        let reseal = async |(pool, provider)| self.reseal_one(&Whose { pool, provider }).await;
        secrets::reseal_all(others, reseal).await
    }

    async fn reseal_one(&self, whose: &Whose) -> Result<bool> {
        let record = self.parts.store.credential(&whose.pool, &whose.provider).await?;
        let Some(record) = record else { return Ok(false) };
        let (sealed, seal_key) = self.sealed(whose, &self.opened(whose, &record)?)?;
        let (pool, provider, version) = (whose.pool.clone(), whose.provider.clone(), record.version);
        let reseal = ResealCredential { pool, provider, version, sealed, seal_key };
        // False where it was written meanwhile, which the next list shows.
        self.parts.store.reseal_credential(reseal).await
    }
}
