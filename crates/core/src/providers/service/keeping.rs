//! What is sealed with keys that go.

use super::{ProviderService, owner};
use crate::error::Result;
use crate::providers::port::ResealSettings;
use crate::providers::records::PoolName;
use crate::{Caller, Scope, secrets};
use mainstay_api::providers::ProviderId;

/// Providers that are listed at a time to be sealed anew.
const RESEAL_STEP: u32 = 128;

impl ProviderService {
    /// Checks that every key is in the ring that settings of a provider are sealed with.
    ///
    /// # Errors
    /// `secrets.key_missing`, naming the keys.
    pub async fn check_ring(&self) -> Result<()> {
        secrets::check(self.rules.ring.as_ref(), self.store.settings_seal_keys().await?)
    }

    /// The keys that settings of providers are sealed with.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn seal_keys(&self, caller: &Caller) -> Result<Vec<String>> {
        caller.require_everywhere(Scope::IdentityAdmin)?;
        self.store.settings_seal_keys().await
    }

    /// Seals the settings of every provider with the primary key; returns how many were sealed with another. They stay the same
    /// settings, under the same version.
    ///
    /// # Errors
    /// Those of the store; `secrets.key_missing`, `secrets.unreadable`.
    pub async fn reseal(&self, caller: &Caller) -> Result<u32> {
        caller.require_everywhere(Scope::IdentityAdmin)?;
        self.check_ring().await?;
        let Some(ring) = &self.rules.ring else { return Ok(0) };
        let others = async || self.store.settings_not_sealed_with(&ring.primary().id, RESEAL_STEP).await;
        secrets::reseal_all(others, async |(pool, provider)| self.reseal_one(pool, provider).await).await
    }

    async fn reseal_one(&self, pool: PoolName, provider: ProviderId) -> Result<bool> {
        let found = self.store.provider(&pool, &provider, self.clock.now()).await?;
        let Some(record) = found else { return Ok(false) };
        let owner = owner(&pool, &provider);
        let (body, seal_key) = self.sealing(&owner, &[]).reseal(&record.settings.body)?;
        let version = record.settings.version;
        // False where they were changed meanwhile, which the next list shows.
        self.store.reseal_settings(ResealSettings { pool, provider, version, body, seal_key }).await
    }
}
