//! The keys of an issuer as they were last fetched, and when they are fetched again.

use super::fetch::{Fetch, Published};
use super::issuer::IssuerName;
use super::keys::KeySet;
use super::refusal::keys_unavailable;
use mainstay_core::api::Realm;
use mainstay_core::{Clock, Result};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::{Mutex, Semaphore};

/// Age at which keys are fetched again, in milliseconds.
const FRESH_MS: i64 = 10 * 60 * 1_000;
/// Age up to which keys serve while their issuer is away, in milliseconds. A key that the issuer withdrew because it
/// was stolen works no longer than this.
const STALE_MS: i64 = 24 * 60 * 60 * 1_000;
/// Least time between two fetches, in milliseconds: tokens with made-up keys must not make this server a burden on the
/// issuer.
const PAUSE_MS: i64 = 30_000;
/// The same where there are no keys at all, and callers wait for them.
const MISSING_PAUSE_MS: i64 = 5_000;
/// Age at which a file is read again, in milliseconds.
const FILE_MS: i64 = 1_000;
/// Most callers that wait for the keys of one issuer; more are told at once what is known.
const MAX_WAITING: usize = 256;

/// What was fetched.
#[derive(Debug)]
pub(super) struct Loaded {
    /// What tokens of the issuer say in `iss`.
    pub name: IssuerName,
    pub keys: KeySet,
    at_ms: i64,
}

/// The keys of one issuer.
pub(super) struct KeyCache {
    realm: Realm,
    fetch: Fetch,
    clock: Arc<dyn Clock>,
    loaded: RwLock<Option<Arc<Loaded>>>,
    /// When a fetch last began. Whoever holds the lock fetches; the others wait for its result.
    begun_ms: Arc<Mutex<Option<i64>>>,
    waiting: Semaphore,
}

impl KeyCache {
    pub fn new(realm: Realm, fetch: Fetch, clock: Arc<dyn Clock>) -> Arc<Self> {
        let (loaded, begun_ms) = (RwLock::new(None), Arc::default());
        Arc::new(Self { realm, fetch, clock, loaded, begun_ms, waiting: Semaphore::new(MAX_WAITING) })
    }

    /// What is known, if it is not too old to be trusted.
    pub fn known(&self) -> Option<Arc<Loaded>> {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        (self.age_ms(&loaded) < STALE_MS).then_some(loaded)
    }

    /// What is known, fetched where nothing is.
    ///
    /// # Errors
    /// `auth.keys_unavailable`.
    pub async fn demand(self: &Arc<Self>) -> Result<Arc<Loaded>> {
        if let Some(loaded) = self.known() {
            let age_ms = self.age_ms(&loaded);
            if self.fetch.is_local() && age_ms >= FILE_MS {
                self.refresh(FILE_MS).await;
                return self.known().ok_or_else(keys_unavailable);
            }
            if age_ms >= FRESH_MS {
                // Nobody waits for an issuer whose keys are at hand.
                drop(tokio::spawn(Arc::clone(self).refresh_detached()));
            }
            return Ok(loaded);
        }
        self.refresh(if self.fetch.is_local() { 0 } else { MISSING_PAUSE_MS }).await;
        self.known().ok_or_else(keys_unavailable)
    }

    /// What is known after another look at the issuer: for a token whose key is not.
    pub async fn look_again(self: &Arc<Self>) -> Option<Arc<Loaded>> {
        self.refresh(if self.fetch.is_local() { 0 } else { PAUSE_MS }).await;
        self.known()
    }

    /// Fetches where keys are missing or no longer fresh.
    pub async fn keep_current(self: &Arc<Self>) {
        match self.known() {
            Some(loaded) if self.age_ms(&loaded) < FRESH_MS => {}
            Some(_) => self.refresh(PAUSE_MS).await,
            None => self.refresh(MISSING_PAUSE_MS).await,
        }
    }

    async fn refresh_detached(self: Arc<Self>) {
        self.refresh(PAUSE_MS).await;
    }

    /// Fetches, unless a fetch began within the pause; one at a time. A caller that goes away does not end it, or it
    /// could keep new keys from everybody by going away each time.
    async fn refresh(self: &Arc<Self>, pause_ms: i64) {
        let Ok(_waiting) = self.waiting.try_acquire() else { return };
        let mut begun_ms = Arc::clone(&self.begun_ms).lock_owned().await;
        let now_ms = self.clock.now().as_millis();
        // A clock that was set back makes a moment to come of a past one; that must not stop the fetches.
        if begun_ms.is_some_and(|begun_ms| (0..pause_ms).contains(&(now_ms - begun_ms))) {
            return;
        }
        *begun_ms = Some(now_ms);
        let cache = Arc::clone(self);
        let fetch = tokio::spawn(async move {
            match cache.fetch.published().await {
                Ok(published) => cache.take(published, now_ms),
                Err(internal) => {
                    tracing::warn!(issuer = cache.realm.as_str(), internal, "the keys of an issuer cannot be fetched");
                }
            }
            drop(begun_ms);
        });
        if let Err(panicked) = fetch.await {
            tracing::error!(issuer = self.realm.as_str(), %panicked, "fetching the keys of an issuer failed");
        }
    }

    fn take(&self, published: Published, at_ms: i64) {
        let Published { name, keys } = published;
        tracing::debug!(issuer = self.realm.as_str(), keys = keys.len(), "keys of an issuer fetched");
        let loaded = Arc::new(Loaded { name, keys, at_ms });
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Some(loaded);
    }

    fn age_ms(&self, loaded: &Loaded) -> i64 {
        self.clock.now().as_millis() - loaded.at_ms
    }
}
