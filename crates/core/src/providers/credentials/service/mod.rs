//! The rules of credentials: who may see and change them, and that each is refreshed by one at a time.

mod attempt;
mod gates;
mod refreshing;
mod supply;
mod upkeep;
mod waiting;

pub use upkeep::Ran;

use super::authorizer::{Authorizer, OAuthClient};
use super::parse::TokenText;
use super::port::{CredentialOutcome, CredentialRecord, CredentialStore, PutCredential};
use super::refusals::{conflict, not_found, not_refreshed};
use crate::error::{Error, Result};
use crate::providers::PoolName;
use crate::secrets::{KeyRing, Place};
use crate::{Caller, Clock, HintSource, Mint, Scope, secrets};
use async_trait::async_trait;
use gates::Gates;
use mainstay_api::providers::{Credential, PoolType, ProviderId, RefreshPhase, RefreshState};
use mainstay_api::{RawJson, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use supply::Cache;

/// Whose credential.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Whose {
    /// Of a provider in which pool.
    pub pool: PoolName,
    /// Of which provider.
    pub provider: ProviderId,
}

impl Whose {
    /// The place in which it, and the settings of its provider, are sealed.
    pub(in crate::providers) fn owner(&self) -> String {
        // Neither a pool nor a provider has a slash in its name.
        format!("{}/{}/{}", self.pool.namespace.as_str(), self.pool.pool.as_str(), self.provider.as_str())
    }
}

impl std::fmt::Display for Whose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.pool.pool, self.provider)
    }
}

/// An access token.
#[derive(Debug, Clone)]
pub struct Bearer {
    /// The token.
    pub access_token: SecretString,
    /// The version of the credential that it is from.
    pub version: u64,
    /// When it expires, where that is known.
    pub expires_at: Option<Timestamp>,
}

/// What became of a wish for a current token.
#[derive(Debug, Clone)]
pub enum Refreshed {
    /// This is current.
    Current(Bearer),
    /// Not now: somebody is at it and was not done in time, or it failed a while ago.
    Later {
        /// When to try again.
        at: Timestamp,
        /// What is the matter.
        reason: String,
    },
    /// The authorization server does not take the refresh token any more.
    Dead(String),
    /// It cannot be refreshed as things are.
    Refused(String),
    /// There is no such provider, or it has no credential.
    NotFound,
}

/// Where a provider's settings say how its tokens are refreshed.
#[async_trait]
pub trait ClientSource: Send + Sync {
    /// The settings of a provider, completed by those of its pool; absent where neither says anything.
    ///
    /// # Errors
    /// `request.invalid` where they cannot be read; those of the store.
    async fn client(&self, whose: &Whose) -> Result<Option<OAuthClient>>;
}

/// No settings: each credential says itself how it is refreshed.
#[derive(Debug, Default, Clone, Copy)]
pub struct NoClients;

#[async_trait]
impl ClientSource for NoClients {
    async fn client(&self, _whose: &Whose) -> Result<Option<OAuthClient>> {
        Ok(None)
    }
}

/// What is configured about credentials.
#[derive(Debug, Clone)]
pub struct TokenRules {
    /// How long somebody waits for a refresh.
    pub wait: Duration,
    /// First pause after a failure; it doubles with each.
    pub first_back_off: Duration,
    /// Longest pause after a failure, where the server asks for none.
    pub max_back_off: Duration,
    /// How long a refresh that a store does not take is offered again.
    pub keep_for: Duration,
    /// Keys that credentials are sealed with; without, none can be written or read.
    pub ring: Option<KeyRing>,
}

impl Default for TokenRules {
    /// 20 seconds of waiting; pauses from 5 seconds to 10 minutes; 10 minutes for a store that is away.
    fn default() -> Self {
        Self {
            wait: Duration::from_secs(20),
            first_back_off: Duration::from_secs(5),
            max_back_off: Duration::from_secs(10 * 60),
            keep_for: Duration::from_secs(10 * 60),
            ring: None,
        }
    }
}

/// What credentials need.
pub struct TokenParts {
    /// The store.
    pub store: Arc<dyn CredentialStore>,
    /// How tokens are refreshed.
    pub clients: Arc<dyn ClientSource>,
    /// Who asks authorization servers.
    pub authorizer: Arc<dyn Authorizer>,
    /// The wake-ups of the store.
    pub hints: Arc<dyn HintSource>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Makes random numbers.
    pub mint: Arc<dyn Mint>,
    /// This run of this node.
    pub node: String,
    /// The rules.
    pub rules: TokenRules,
}

/// What became of refreshes of this node, since it began.
#[derive(Debug, Default)]
pub struct TokenCounts {
    /// New tokens that were stored.
    pub refreshed: AtomicU64,
    /// Refreshes of others that were found instead.
    pub adopted: AtomicU64,
    /// Attempts that failed for now.
    pub failed: AtomicU64,
    /// Credentials that an authorization server does not take any more.
    pub died: AtomicU64,
}

/// Credentials: every operation, for every surface and for the gateway.
pub struct TokenService {
    parts: TokenParts,
    gates: Gates,
    cache: Cache,
    attempts: AtomicU64,
    counts: TokenCounts,
    /// Held by attempts while they run, so that an end can wait for them.
    running: Arc<tokio::sync::RwLock<()>>,
}

/// A credential to write.
pub struct WrittenCredential {
    /// Of which provider, in the namespace of the caller.
    pub pool: PoolType,
    /// Of which provider.
    pub provider: ProviderId,
    /// The text.
    pub text: SecretString,
    /// The version that is replaced, 0 where there is to be none; any where absent.
    pub expected: Option<u64>,
}

impl TokenService {
    /// Credentials on a store.
    #[must_use]
    pub fn new(parts: TokenParts) -> Self {
        Self {
            parts,
            gates: Gates::default(),
            cache: Cache::default(),
            attempts: AtomicU64::new(0),
            counts: TokenCounts::default(),
            running: Arc::default(),
        }
    }

    /// What became of refreshes.
    #[must_use]
    pub fn counts(&self) -> &TokenCounts {
        &self.counts
    }

    /// Waits for refreshes under way, but no longer than this: what an authorization server has given is stored first.
    pub async fn close(&self, limit: Duration) {
        if tokio::time::timeout(limit, self.running.write()).await.is_err() {
            tracing::warn!("refreshes of credentials were still under way");
        }
    }

    /// Writes a credential.
    ///
    /// # Errors
    /// `auth.forbidden`, `request.invalid`, `credentials.not_found`, `credentials.version_conflict`, `secrets.key_missing`.
    pub async fn put(&self, caller: &Caller, written: WrittenCredential) -> Result<Credential> {
        caller.require(Scope::ProvidersWrite)?;
        let whose = whose(caller, written.pool, written.provider);
        let text = TokenText::parse(written.text)?;
        let now = self.parts.clock.now();
        let expires_at = text.expires_at(now);
        let sealed = self.sealed(&whose, &text)?;
        // Settings that cannot be read do not keep a credential out: it may be what they wait for.
        let ahead = self.client(&whose, &text).await.ok().flatten().unwrap_or_default().ahead();
        let refresh_at = text.refresh_token().and(expires_at).map(|at| self.refresh_at(at, ahead, now));
        let put = PutCredential {
            pool: whose.pool.clone(),
            provider: whose.provider.clone(),
            seal_key: sealed.1,
            sealed: sealed.0,
            expires_at,
            refresh_at,
            expected: written.expected,
            now,
        };
        match self.parts.store.put_credential(put).await? {
            CredentialOutcome::Stored(_) => self.view(&whose).await,
            CredentialOutcome::Conflict(other) => Err(conflict(other.version)),
            CredentialOutcome::NotFound if written.expected.is_some_and(|version| version > 0) => Err(conflict(0)),
            CredentialOutcome::NotFound => Err(not_found()),
        }
    }

    /// A credential, without its secrets.
    ///
    /// # Errors
    /// `auth.forbidden`, `credentials.not_found`, `secrets.key_missing`.
    pub async fn show(&self, caller: &Caller, pool: PoolType, provider: ProviderId) -> Result<Credential> {
        caller.require(Scope::ProvidersRead)?;
        self.view(&whose(caller, pool, provider)).await
    }

    /// A credential with its secrets, text for text.
    ///
    /// # Errors
    /// `auth.forbidden`, `credentials.not_found`, `secrets.key_missing`.
    pub async fn reveal(&self, caller: &Caller, pool: PoolType, provider: ProviderId) -> Result<Credential> {
        caller.require(Scope::ProvidersSecrets)?;
        let (record, text) = self.found(&whose(caller, pool.clone(), provider.clone())).await?;
        self.told((pool, provider), record, text.secret().expose_secret())
    }

    /// Removes a credential.
    ///
    /// # Errors
    /// `auth.forbidden`, `credentials.not_found`.
    pub async fn remove(&self, caller: &Caller, pool: PoolType, provider: ProviderId) -> Result<()> {
        caller.require(Scope::ProvidersWrite)?;
        let whose = whose(caller, pool, provider);
        self.cache.forget(&whose);
        if self.parts.store.remove_credential(&whose.pool, &whose.provider).await? { Ok(()) } else { Err(not_found()) }
    }

    /// Refreshes a credential by hand, whatever its age: back-off and death do not hold it up.
    ///
    /// # Errors
    /// `auth.forbidden`, `credentials.not_found`, `credentials.dead`, `credentials.refresh_pending`,
    /// `credentials.not_refreshable`, `secrets.key_missing`.
    pub async fn refresh_by_hand(
        self: &Arc<Self>,
        caller: &Caller,
        pool: PoolType,
        provider: ProviderId,
    ) -> Result<Credential> {
        caller.require(Scope::ProvidersWrite)?;
        let whose = whose(caller, pool, provider);
        let record = self.parts.store.credential(&whose.pool, &whose.provider).await?.ok_or_else(not_found)?;
        match self.force_refresh(&whose, record.version).await? {
            Refreshed::Current(_) => self.view(&whose).await,
            outcome => Err(not_refreshed(outcome, self.parts.clock.now())),
        }
    }

    async fn view(&self, whose: &Whose) -> Result<Credential> {
        let (record, text) = self.found(whose).await?;
        self.told((whose.pool.pool.clone(), whose.provider.clone()), record, &text.masked())
    }

    async fn found(&self, whose: &Whose) -> Result<(CredentialRecord, TokenText)> {
        let record = self.parts.store.credential(&whose.pool, &whose.provider).await?.ok_or_else(not_found)?;
        let text = self.opened(whose, &record)?;
        Ok((record, text))
    }

    fn told(&self, of: (PoolType, ProviderId), record: CredentialRecord, text: &str) -> Result<Credential> {
        let credential =
            RawJson::parse(text).map_err(|_| Error::inconsistent("a stored credential is no JSON object"))?;
        Ok(Credential {
            pool: of.0,
            provider: of.1,
            version: record.version,
            credential,
            expires_at: record.expires_at,
            refresh_at: record.refresh_at,
            updated_at: record.updated_at,
            refresh: state(&record, self.parts.clock.now()),
            seal_key: record.seal_key,
        })
    }

    /// How the tokens of a provider are refreshed: as its settings say, else as the credential says itself.
    async fn client(&self, whose: &Whose, text: &TokenText) -> Result<Option<OAuthClient>> {
        match self.parts.clients.client(whose).await? {
            Some(client) => Ok(Some(client)),
            None => text.oauth().map(OAuthClient::parse).transpose(),
        }
    }

    /// The text of a credential.
    fn opened(&self, whose: &Whose, record: &CredentialRecord) -> Result<TokenText> {
        let owner = whose.owner();
        let opened = self.ring()?.open(place(&owner), &record.sealed)?;
        let text = std::str::from_utf8(opened.expose_secret())
            .map_err(|_| Error::inconsistent("a stored credential is not UTF-8"))?;
        TokenText::parse(text.to_owned()).map_err(|error| Error::inconsistent(format!("a stored credential: {error}")))
    }

    /// A text, sealed, and the key that it is sealed with.
    fn sealed(&self, whose: &Whose, text: &TokenText) -> Result<(String, String)> {
        let ring = self.ring()?;
        let sealed = ring.seal(place(&whose.owner()), text.secret().expose_secret().as_bytes())?;
        Ok((sealed, ring.primary().id.clone()))
    }

    fn ring(&self) -> Result<&KeyRing> {
        secrets::needed(self.parts.rules.ring.as_ref(), "this server has no key ring to seal credentials with")
    }

    /// When a token is refreshed that expires then: so long before, but not in the first half of its life, and spread, so
    /// that what was written at once is not refreshed at once.
    fn refresh_at(&self, expires_at: Timestamp, ahead: Duration, now: Timestamp) -> Timestamp {
        let life = expires_at.as_millis().saturating_sub(now.as_millis()).max(0).unsigned_abs();
        let ahead = ahead.min(Duration::from_millis(life / 2));
        expires_at.before(ahead + self.part_of(ahead / 4))
    }

    /// A random part of a time.
    fn part_of(&self, span: Duration) -> Duration {
        let random = self.parts.mint.secret();
        let part = f64::from(u16::from_be_bytes([random[0], random[1]])) / f64::from(u16::MAX);
        span.mul_f64(part)
    }
}

fn whose(caller: &Caller, pool: PoolType, provider: ProviderId) -> Whose {
    Whose { pool: PoolName { namespace: caller.namespace.clone(), pool }, provider }
}

fn place(owner: &str) -> Place<'_> {
    Place { purpose: "credential", owner }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

fn state(record: &CredentialRecord, now: Timestamp) -> RefreshState {
    let standing = &record.refresh;
    let held = standing.held_until.filter(|until| *until > now);
    let waiting = standing.not_before.filter(|until| *until > now);
    let (phase, until) = match (held, &standing.dead, waiting) {
        (Some(until), _, _) => (RefreshPhase::Running, Some(until)),
        (None, Some(_), _) => (RefreshPhase::Dead, None),
        (None, None, Some(until)) => (RefreshPhase::Waiting, Some(until)),
        (None, None, None) => (RefreshPhase::Idle, None),
    };
    RefreshState {
        phase,
        until,
        holder: standing.holder.clone(),
        reason: standing.dead.clone(),
        failures: standing.failures,
        in_doubt: standing.in_doubt,
    }
}
