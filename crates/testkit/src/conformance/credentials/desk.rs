//! What the cases of credentials write with: short words for long structures, and a pool that nobody else uses.

use crate::conformance::Bed;
use mainstay_core::api::Timestamp;
use mainstay_core::api::providers::{PoolType, ProviderId};
use mainstay_core::providers::PoolName;
use mainstay_core::providers::credentials::{
    BeginRefresh, Begun, CredentialOutcome, CredentialRecord, CredentialStore, FailRefresh, FinishRefresh, ListDue,
    PutCredential, RefreshEnd,
};
use std::sync::Arc;

/// How long a lease lasts.
pub(super) const LEASE_MS: i64 = 60_000;

/// A desk with a pool of its own.
#[derive(Clone)]
pub(super) struct Desk {
    pub store: Arc<dyn CredentialStore>,
    pub pool: PoolName,
    pub provider: ProviderId,
    pub now: Timestamp,
}

impl Desk {
    pub fn new(bed: &Bed) -> Self {
        let pool = PoolName {
            namespace: bed.namespace_like(": {x}"),
            pool: PoolType::parse("openai-custom").expect("a pool"),
        };
        let provider = ProviderId::parse("p.1").expect("a provider");
        Self { store: bed.stores().credentials.clone(), pool, provider, now: bed.now() }
    }

    /// The same desk, later.
    pub fn later(&self, millis: i64) -> Self {
        Self { now: self.at(millis), ..self.clone() }
    }

    /// The same desk for another provider.
    pub fn of(&self, provider: &str) -> Self {
        Self { provider: ProviderId::parse(provider).expect("a provider"), ..self.clone() }
    }

    pub fn at(&self, millis: i64) -> Timestamp {
        Timestamp::from_millis(self.now.as_millis() + millis)
    }

    pub fn written(&self, sealed: &str, expected: Option<u64>) -> PutCredential {
        PutCredential {
            pool: self.pool.clone(),
            provider: self.provider.clone(),
            sealed: sealed.into(),
            seal_key: "k1".into(),
            expires_at: Some(self.at(10_000)),
            refresh_at: Some(self.at(5_000)),
            expected,
            now: self.now,
        }
    }

    pub async fn put(&self, sealed: &str, expected: Option<u64>) -> CredentialOutcome {
        self.store.put_credential(self.written(sealed, expected)).await.expect("put")
    }

    /// Puts a credential and answers its version.
    pub async fn stored(&self, sealed: &str) -> u64 {
        match self.put(sealed, None).await {
            CredentialOutcome::Stored(version) => version,
            other => panic!("{other:?}"),
        }
    }

    pub async fn find(&self) -> Option<CredentialRecord> {
        self.store.credential(&self.pool, &self.provider).await.expect("read")
    }

    pub async fn remove(&self) -> bool {
        self.store.remove_credential(&self.pool, &self.provider).await.expect("remove")
    }

    pub async fn begin(&self, seen: u64, holder: &str) -> Begun {
        self.begin_as(seen, holder, false).await
    }

    pub async fn begin_as(&self, seen: u64, holder: &str, forced: bool) -> Begun {
        let (pool, provider) = (self.pool.clone(), self.provider.clone());
        let (holder, until, now) = (holder.into(), self.at(LEASE_MS), self.now);
        self.store
            .begin_refresh(BeginRefresh { pool, provider, seen, holder, until, forced, now })
            .await
            .expect("begin")
    }

    /// Begins a refresh that is granted.
    pub async fn granted(&self, seen: u64, holder: &str) -> CredentialRecord {
        match self.begin(seen, holder).await {
            Begun::Granted(record) => *record,
            other => panic!("{other:?}"),
        }
    }

    pub async fn finish(&self, sealed: &str, expected: u64, fence: u64) -> CredentialOutcome {
        let put = self.written(sealed, Some(expected));
        self.store.finish_refresh(FinishRefresh { put, fence }).await.expect("finish")
    }

    pub async fn fail(&self, version: u64, fence: u64, end: RefreshEnd) -> bool {
        let (pool, provider) = (self.pool.clone(), self.provider.clone());
        self.store.fail_refresh(FailRefresh { pool, provider, version, fence, end, now: self.now }).await.expect("fail")
    }

    /// The providers of this pool that are due.
    pub async fn due(&self) -> Vec<String> {
        let due = self.store.due(ListDue { now: self.now, limit: 100_000 }).await.expect("due");
        due.into_iter().filter(|due| due.pool == self.pool).map(|due| due.provider.to_string()).collect()
    }
}
