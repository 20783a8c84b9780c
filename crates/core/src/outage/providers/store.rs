//! The ports, on a store that may be away.

use super::OutlastingProviders;
use crate::error::{Error, Result};
use crate::outage::{is_away, is_in_doubt};
use crate::providers::credentials::{
    BeginRefresh, Begun, CredentialOutcome, CredentialRecord, CredentialStore, DueCredential, FailRefresh, ListDue,
    PutCredential, ResealCredential,
};
use crate::providers::{
    AddCounts, BreakerState, ChangePool, CheckClaim, Checked, Choice, Choose, ClaimCheck, FinishUses, Finished,
    PoolName, PoolOutcome, PoolRecord, PoolSummary, ProviderRecord, ProviderStore, Renew, ResealSettings,
    ResetProviders, StandBreaker,
};
use async_trait::async_trait;
use mainstay_api::providers::ProviderId;
use mainstay_api::{Namespace, Timestamp};

impl OutlastingProviders {
    /// Asks the store where it is there; the error says that it is away.
    async fn ask<T>(&self, call: impl Future<Output = Result<T>>) -> Result<Result<T>, Error> {
        if !self.is_connected() {
            return Err(self.not_copied());
        }
        match call.await {
            Err(error) if is_away(&error) => {
                self.lost(&error);
                Err(error)
            }
            answer => Ok(answer),
        }
    }
}

#[async_trait]
impl ProviderStore for OutlastingProviders {
    async fn pools(&self, namespace: &Namespace) -> Result<Vec<PoolSummary>> {
        self.know(namespace);
        match self.ask(self.parts.providers.pools(namespace)).await {
            Ok(answer) => answer,
            Err(away) => self.summaries(namespace).ok_or(away),
        }
    }

    async fn pool(&self, pool: &PoolName, now: Timestamp) -> Result<Option<PoolRecord>> {
        self.know(&pool.namespace);
        match self.ask(self.parts.providers.pool(pool, now)).await {
            Ok(answer) => answer,
            Err(away) => self.copied(pool, |copy| copy.map(|copy| copy.pool.record(now))).ok_or(away),
        }
    }

    async fn provider(&self, pool: &PoolName, id: &ProviderId, now: Timestamp) -> Result<Option<ProviderRecord>> {
        self.know(&pool.namespace);
        match self.ask(self.parts.providers.provider(pool, id, now)).await {
            Ok(answer) => answer,
            Err(away) => self.copied(pool, |copy| copy.and_then(|copy| copy.pool.provider(id, now))).ok_or(away),
        }
    }

    async fn change(&self, change: ChangePool) -> Result<PoolOutcome> {
        self.know(&change.pool.namespace);
        if !self.is_connected() {
            return self.keep(change, false).await;
        }
        match self.parts.providers.change(change.clone()).await {
            Err(error) if is_away(&error) => {
                self.lost(&error);
                self.keep(change, is_in_doubt(&error)).await
            }
            answer => answer,
        }
    }

    async fn choose(&self, choose: Choose) -> Result<Choice> {
        self.know(&choose.pool.namespace);
        match self.ask(self.parts.providers.choose(choose.clone())).await {
            Ok(answer) => answer,
            Err(_) => self.choose_here(&choose),
        }
    }

    async fn renew(&self, renew: Renew) -> Result<()> {
        let others = self.renew_here(&renew);
        if others.leases.is_empty() || !self.is_connected() {
            return Ok(());
        }
        self.parts.providers.renew(others).await
    }

    /// Uses that the store gave and that end while it is away end by themselves: they are counted, and what they showed is
    /// not known to it.
    async fn finish(&self, mut uses: FinishUses) -> Result<Finished> {
        let (here, there) = self.part(uses.uses);
        uses.uses = here;
        let here = self.finish_here(&uses);
        if there.is_empty() {
            return Ok(here);
        }
        let uses = FinishUses { uses: there, ..uses };
        let told = self.ask(self.parts.providers.finish(uses)).await??;
        let transitions = here.transitions.into_iter().chain(told.transitions).collect();
        Ok(Finished { applied: here.applied + told.applied, transitions })
    }

    async fn everywhere(&self, after: Option<&PoolName>, limit: u32) -> Result<Vec<PoolName>> {
        self.parts.providers.everywhere(after, limit).await
    }

    async fn claim_check(&self, claim: ClaimCheck) -> Result<CheckClaim> {
        self.parts.providers.claim_check(claim).await
    }

    async fn checked(&self, check: Checked) -> Result<Finished> {
        self.parts.providers.checked(check).await
    }

    async fn reset(&self, reset: ResetProviders) -> Result<u32> {
        self.parts.providers.reset(reset).await
    }

    async fn stand(&self, stand: StandBreaker) -> Result<Option<BreakerState>> {
        self.parts.providers.stand(stand).await
    }

    async fn add_counts(&self, add: AddCounts) -> Result<bool> {
        self.parts.providers.add_counts(add).await
    }

    async fn settings_seal_keys(&self) -> Result<Vec<String>> {
        self.parts.providers.settings_seal_keys().await
    }

    async fn settings_not_sealed_with(&self, key: &str, limit: u32) -> Result<Vec<(PoolName, ProviderId)>> {
        self.parts.providers.settings_not_sealed_with(key, limit).await
    }

    async fn reseal_settings(&self, reseal: ResealSettings) -> Result<bool> {
        self.parts.providers.reseal_settings(reseal).await
    }
}

/// The last known credential is read while the store is away; nothing of it is written, and so none is refreshed.
#[async_trait]
impl CredentialStore for OutlastingProviders {
    async fn credential(&self, pool: &PoolName, provider: &ProviderId) -> Result<Option<CredentialRecord>> {
        self.know(&pool.namespace);
        match self.ask(self.parts.credentials.credential(pool, provider)).await {
            Ok(answer) => answer,
            Err(away) => {
                self.copied(pool, |copy| copy.and_then(|copy| copy.credentials.get(provider).cloned())).ok_or(away)
            }
        }
    }

    async fn put_credential(&self, put: PutCredential) -> Result<CredentialOutcome> {
        self.parts.credentials.put_credential(put).await
    }

    async fn remove_credential(&self, pool: &PoolName, provider: &ProviderId) -> Result<bool> {
        self.parts.credentials.remove_credential(pool, provider).await
    }

    async fn begin_refresh(&self, begin: BeginRefresh) -> Result<Begun> {
        self.parts.credentials.begin_refresh(begin).await
    }

    async fn finish_refresh(&self, put: PutCredential) -> Result<CredentialOutcome> {
        self.parts.credentials.finish_refresh(put).await
    }

    async fn fail_refresh(&self, fail: FailRefresh) -> Result<bool> {
        self.parts.credentials.fail_refresh(fail).await
    }

    async fn due(&self, list: ListDue) -> Result<Vec<DueCredential>> {
        self.parts.credentials.due(list).await
    }

    async fn credential_seal_keys(&self) -> Result<Vec<String>> {
        self.parts.credentials.credential_seal_keys().await
    }

    async fn credentials_not_sealed_with(&self, key: &str, limit: u32) -> Result<Vec<(PoolName, ProviderId)>> {
        self.parts.credentials.credentials_not_sealed_with(key, limit).await
    }

    async fn reseal_credential(&self, reseal: ResealCredential) -> Result<bool> {
        self.parts.credentials.reseal_credential(reseal).await
    }
}
