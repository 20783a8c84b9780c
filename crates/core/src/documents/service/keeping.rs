//! What has ended, and what is sealed with keys that go.

use super::{DocumentService, PURPOSE, owner};
use crate::documents::port::{PurgeDocuments, SealedRevision, StoredBody};
use crate::error::Result;
use crate::secrets::KeyRing;
use crate::secrets::members::Sealing;
use crate::{Caller, Scope, secrets};
use mainstay_api::Timestamp;

/// Revisions that are sealed anew at a time.
const RESEAL_STEP: u32 = 16;

impl DocumentService {
    /// Removes documents whose time is over, and revisions that are older than they are kept, at most `limit` of each in a
    /// namespace; for the maintenance job.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn purge(&self, limit: u32) -> Result<u32> {
        let now = self.clock.now();
        let history_before = Timestamp::from_millis(now.as_millis().saturating_sub(self.rules.history_ms));
        self.store.purge(PurgeDocuments { now, history_before, limits: self.rules.limits, limit }).await
    }

    /// Checks that every key is in the ring that a document is sealed with.
    ///
    /// # Errors
    /// `secrets.key_missing`, naming the keys.
    pub async fn check_ring(&self) -> Result<()> {
        secrets::check(self.rules.ring.as_ref(), self.store.seal_keys().await?)
    }

    /// The keys that documents are sealed with, in the history too.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn seal_keys(&self, caller: &Caller) -> Result<Vec<String>> {
        caller.require_everywhere(Scope::IdentityAdmin)?;
        self.store.seal_keys().await
    }

    /// Seals every revision of every document with the primary key; returns how many were sealed with another. Doing it twice
    /// is doing it once. Where the ring lacks a key, none is touched.
    ///
    /// # Errors
    /// Those of the store; `secrets.key_missing`, `secrets.unreadable`.
    pub async fn reseal(&self, caller: &Caller) -> Result<u32> {
        caller.require_everywhere(Scope::IdentityAdmin)?;
        self.check_ring().await?;
        let Some(ring) = &self.rules.ring else { return Ok(0) };
        let others = async || self.store.sealed_otherwise(&ring.primary().id, RESEAL_STEP).await;
        secrets::reseal_all(others, async |revision| self.reseal_one(ring, revision).await).await
    }

    async fn reseal_one(&self, ring: &KeyRing, revision: SealedRevision) -> Result<bool> {
        let owner = owner(&revision.namespace, &revision.name);
        let sealing = Sealing { ring: Some(ring), purpose: PURPOSE, owner: &owner, marks: &[] };
        let (text, seal_key) = sealing.reseal(&revision.body.text)?;
        let before = revision.body.seal_key.clone().unwrap_or_default();
        let body = StoredBody { text, seal_key };
        // What is gone meanwhile, or sealed anew by somebody else, needs nothing.
        self.store.reseal(SealedRevision { body, ..revision }, &before).await
    }
}
