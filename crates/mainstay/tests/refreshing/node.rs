//! A node with a clock of its own, on a store that others use as well; its writes of refreshed credentials can be held up.

use async_trait::async_trait;
use mainstay_api::Namespace;
use mainstay_api::providers::{PoolType, ProviderId};
use mainstay_core::providers::PoolName;
use mainstay_core::providers::credentials::{
    BeginRefresh, Begun, CredentialOutcome, CredentialRecord, CredentialStore, DueCredential, FailRefresh,
    FinishRefresh, ListDue, NoClients, PutCredential, Refreshed, ResealCredential, TokenParts, TokenRules,
    TokenService, Whose, WrittenCredential,
};
use mainstay_core::secrets::KeyRing;
use mainstay_core::{Caller, Clock, FakeClock, RandomMint, Result, Stores};
use mainstay_gateway::HttpAuthorizer;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::watch;

/// When tests begin: 2026-01-23T13:48:05Z.
pub const NOW_MS: i64 = 1_769_176_085_000;
/// The time-out of calls, and a quarter of a lease, in milliseconds.
pub const TIMEOUT_MS: u64 = 2_000;
/// How long a lease lasts, in milliseconds.
pub const LEASE_MS: i64 = 8_000;

/// A node.
pub struct Node {
    pub tokens: Arc<TokenService>,
    pub store: Arc<dyn CredentialStore>,
    pub clock: Arc<FakeClock>,
    paused: watch::Sender<bool>,
}

impl Node {
    /// A node on a store.
    pub fn on(stores: &Stores, name: &str, ring: &KeyRing) -> Self {
        let (clock, paused) = (Arc::new(FakeClock::at(NOW_MS)), watch::Sender::new(false));
        let store = Arc::clone(&stores.credentials);
        let parts = TokenParts {
            store: Arc::new(Slow { store: Arc::clone(&store), paused: paused.subscribe() }),
            clients: Arc::new(NoClients),
            authorizer: Arc::new(HttpAuthorizer::new(clock.clone())),
            hints: Arc::clone(&stores.hints),
            clock: clock.clone(),
            mint: Arc::new(RandomMint),
            node: name.into(),
            rules: TokenRules { ring: Some(ring.clone()), ..TokenRules::default() },
        };
        Self { tokens: Arc::new(TokenService::new(parts)), store, clock, paused }
    }

    /// Holds up what this node was given, or lets it go on.
    pub fn pause(&self, paused: bool) {
        self.paused.send_replace(paused);
    }

    /// Writes a credential, and answers its version.
    pub async fn put(&self, whose: &Whose, text: &Value) -> u64 {
        let (pool, provider) = (whose.pool.pool.clone(), whose.provider.clone());
        let written = WrittenCredential { pool, provider, text: text.to_string().into(), expected: None };
        self.tokens.put(&Caller::owner(), written).await.unwrap().version
    }

    pub async fn find(&self, whose: &Whose) -> Option<CredentialRecord> {
        self.store.credential(&whose.pool, &whose.provider).await.unwrap()
    }

    /// Begins a refresh as somebody who then says nothing more.
    pub async fn begin_and_die(&self, whose: &Whose, seen: u64) {
        let now = self.clock.now();
        let begin = BeginRefresh {
            pool: whose.pool.clone(),
            provider: whose.provider.clone(),
            seen,
            holder: "dead/0".into(),
            until: now.after(std::time::Duration::from_millis(LEASE_MS.unsigned_abs())),
            forced: false,
            now,
        };
        assert!(matches!(self.store.begin_refresh(begin).await.unwrap(), Begun::Granted(_)));
    }

    /// Refreshes in the background.
    pub fn refresh(&self, whose: &Whose, seen: u64) -> tokio::task::JoinHandle<Result<Refreshed>> {
        let (tokens, whose) = (Arc::clone(&self.tokens), whose.clone());
        tokio::spawn(async move { tokens.refresh(&whose, seen).await })
    }

    /// The access token of a request.
    pub async fn bearer(&self, whose: &Whose) -> String {
        access(self.tokens.bearer(whose, None).await.unwrap())
    }
}

/// The access token that was to be there.
pub fn access(refreshed: Refreshed) -> String {
    match refreshed {
        Refreshed::Current(bearer) => bearer.access_token.expose_secret().to_owned(),
        other => panic!("{other:?}"),
    }
}

/// A provider.
pub fn whose() -> Whose {
    let pool = PoolName { namespace: Namespace::default(), pool: PoolType::parse("openai-qwen-oauth").unwrap() };
    Whose { pool, provider: ProviderId::parse("658a2114-c4c9-d713-8f3d-1a2b3c4d5e6f").unwrap() }
}

/// A token file in small letters that has expired, and that the server at this address refreshes.
pub fn expired(url: &str) -> Value {
    json!({
        "access_token": "a-0",
        "refresh_token": "r-0",
        "expiry_date": NOW_MS - 1,
        "notSupportedModels": [],
        "oauth": { "token_url": url, "client_id": "c", "client_secret": "s", "timeout_ms": TIMEOUT_MS },
    })
}

/// A store that is slow to take what was refreshed.
struct Slow {
    store: Arc<dyn CredentialStore>,
    paused: watch::Receiver<bool>,
}

#[async_trait]
impl CredentialStore for Slow {
    async fn credential(&self, pool: &PoolName, provider: &ProviderId) -> Result<Option<CredentialRecord>> {
        self.store.credential(pool, provider).await
    }

    async fn put_credential(&self, put: PutCredential) -> Result<CredentialOutcome> {
        self.store.put_credential(put).await
    }

    async fn remove_credential(&self, pool: &PoolName, provider: &ProviderId) -> Result<bool> {
        self.store.remove_credential(pool, provider).await
    }

    async fn begin_refresh(&self, begin: BeginRefresh) -> Result<Begun> {
        self.store.begin_refresh(begin).await
    }

    async fn finish_refresh(&self, finish: FinishRefresh) -> Result<CredentialOutcome> {
        drop(self.paused.clone().wait_for(|paused| !paused).await);
        self.store.finish_refresh(finish).await
    }

    async fn fail_refresh(&self, fail: FailRefresh) -> Result<bool> {
        self.store.fail_refresh(fail).await
    }

    async fn due(&self, list: ListDue) -> Result<Vec<DueCredential>> {
        self.store.due(list).await
    }

    async fn credential_seal_keys(&self) -> Result<Vec<String>> {
        self.store.credential_seal_keys().await
    }

    async fn credentials_not_sealed_with(&self, key: &str, limit: u32) -> Result<Vec<(PoolName, ProviderId)>> {
        self.store.credentials_not_sealed_with(key, limit).await
    }

    async fn reseal_credential(&self, reseal: ResealCredential) -> Result<bool> {
        self.store.reseal_credential(reseal).await
    }
}
