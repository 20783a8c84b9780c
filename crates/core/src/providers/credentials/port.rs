//! What credentials of providers need from a store.

use super::super::PoolName;
use crate::error::Result;
use async_trait::async_trait;
use mainstay_api::Timestamp;
use mainstay_api::providers::ProviderId;
use serde::{Deserialize, Serialize};

/// How the refresh of a credential stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RefreshStanding {
    /// The fence of the last lease; 0 where there was none. It follows the clock, as versions do, so that none is given
    /// twice, not even by a store that lost its last second.
    pub fence: u64,
    /// Until when somebody refreshes it.
    pub held_until: Option<Timestamp>,
    /// Who that is, or was: a node and its attempt.
    pub holder: Option<String>,
    /// Whether an attempt ended without a word, or without an answer: the refresh token may have been used.
    pub in_doubt: bool,
    /// Failures in a row.
    pub failures: u32,
    /// Before this nobody tries again.
    pub not_before: Option<Timestamp>,
    /// Why it cannot be refreshed any more, until it is replaced: what the authorization server said.
    pub dead: Option<String>,
}

/// A credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialRecord {
    /// `max(last of the pool + 1, now in microseconds)`: grows with every change and is never used twice, not even where the
    /// credential was removed and written again.
    pub version: u64,
    /// The credential, sealed.
    pub sealed: String,
    /// The key that it is sealed with.
    pub seal_key: String,
    /// When the access token in it expires, where that is known.
    pub expires_at: Option<Timestamp>,
    /// From when on it is refreshed ahead of need; never where absent.
    pub refresh_at: Option<Timestamp>,
    /// When it was written.
    pub updated_at: Timestamp,
    /// How its refresh stands.
    pub refresh: RefreshStanding,
}

/// A credential to write.
#[derive(Debug, Clone)]
pub struct PutCredential {
    /// Of a provider in which pool.
    pub pool: PoolName,
    /// Of which provider.
    pub provider: ProviderId,
    /// See [`CredentialRecord::sealed`].
    pub sealed: String,
    /// See [`CredentialRecord::seal_key`].
    pub seal_key: String,
    /// See [`CredentialRecord::expires_at`].
    pub expires_at: Option<Timestamp>,
    /// See [`CredentialRecord::refresh_at`].
    pub refresh_at: Option<Timestamp>,
    /// The version that is replaced, 0 where there is none; any where absent.
    pub expected: Option<u64>,
    /// The present.
    pub now: Timestamp,
}

/// What became of a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialOutcome {
    /// It has this version now.
    Stored(u64),
    /// Another one stands.
    Conflict(Box<CredentialRecord>),
    /// There is no such provider, or it has no credential where one was expected.
    NotFound,
}

/// A refresh to begin.
#[derive(Debug, Clone)]
pub struct BeginRefresh {
    /// Of a provider in which pool.
    pub pool: PoolName,
    /// Of which provider.
    pub provider: ProviderId,
    /// The version that the caller has: a newer one needs no refresh.
    pub seen: u64,
    /// Who asks: a node and its attempt. No two attempts have the same.
    pub holder: String,
    /// Until when it holds the lease.
    pub until: Timestamp,
    /// Whether somebody asked for it by hand: back-off and death do not hold it up.
    pub forced: bool,
    /// The present.
    pub now: Timestamp,
}

/// Whether a refresh may begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// The caller holds the lease, with this fence in the record.
    Granted(Box<CredentialRecord>),
    /// Another holds it until then.
    Held(Timestamp),
    /// The credential is newer than what the caller has.
    Newer(Box<CredentialRecord>),
    /// It failed a while ago; nobody tries before then.
    Waiting(Timestamp),
    /// It cannot be refreshed any more, for this reason.
    Dead(String),
    /// There is no such credential.
    NotFound,
}

/// A refresh that succeeded.
#[derive(Debug, Clone)]
pub struct FinishRefresh {
    /// The new credential; `expected` is the version that was refreshed, and must be there.
    pub put: PutCredential,
    /// The fence under which it was refreshed. Ends the lease where it is still this one.
    pub fence: u64,
}

/// How a refresh ended that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefreshEnd {
    /// The refresh token was never used: the lease ends, and nothing else changes.
    Unused,
    /// It failed for now.
    Transient {
        /// Nobody tries before then.
        until: Timestamp,
        /// Whether the refresh token may have been used all the same.
        in_doubt: bool,
    },
    /// The authorization server will not take it any more, for this reason.
    Dead(String),
}

/// A refresh that did not succeed. Never changes the credential itself.
#[derive(Debug, Clone)]
pub struct FailRefresh {
    /// Of a provider in which pool.
    pub pool: PoolName,
    /// Of which provider.
    pub provider: ProviderId,
    /// The version that was to be refreshed.
    pub version: u64,
    /// The fence.
    pub fence: u64,
    /// How it ended.
    pub end: RefreshEnd,
    /// The present.
    pub now: Timestamp,
}

/// Which credentials are to be refreshed.
#[derive(Debug, Clone, Copy)]
pub struct ListDue {
    /// The present.
    pub now: Timestamp,
    /// Most of them.
    pub limit: u32,
}

/// A credential that is to be refreshed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueCredential {
    /// Of a provider in which pool.
    pub pool: PoolName,
    /// Of which provider.
    pub provider: ProviderId,
    /// Its version.
    pub version: u64,
    /// See [`CredentialRecord::refresh_at`].
    pub refresh_at: Timestamp,
}

/// A credential to seal with another key. It stays the same credential: a refresh under way goes on.
#[derive(Debug, Clone)]
pub struct ResealCredential {
    /// Of a provider in which pool.
    pub pool: PoolName,
    /// Of which provider.
    pub provider: ProviderId,
    /// The version that was sealed anew.
    pub version: u64,
    /// See [`CredentialRecord::sealed`].
    pub sealed: String,
    /// See [`CredentialRecord::seal_key`].
    pub seal_key: String,
}

/// Credentials, in a store. They belong to the aggregate of their pool; each verb is one atomic step. No credential has
/// a key that expires, and none outlives its provider.
#[async_trait]
pub trait CredentialStore: Send + Sync {
    /// The credential of a provider; absent where it has none.
    async fn credential(&self, pool: &PoolName, provider: &ProviderId) -> Result<Option<CredentialRecord>>;

    /// Writes a credential where it has the expected version. What was known of its refresh is forgotten, but for the fence,
    /// and the provider may be chosen again where it was in need of a refresh. A repetition (same text, same time) changes
    /// nothing. Wakes readers.
    async fn put_credential(&self, put: PutCredential) -> Result<CredentialOutcome>;

    /// Removes the credential of a provider. False where there is none. Wakes readers.
    async fn remove_credential(&self, pool: &PoolName, provider: &ProviderId) -> Result<bool>;

    /// Gives the lease of a refresh to one caller. Of what stands in its way, a newer version is said first, then that it is
    /// held, then death, then back-off. A lease that ended without a word is given to the next one, with a greater
    /// fence, and is marked as in doubt. A repetition by who holds it answers the same.
    async fn begin_refresh(&self, begin: BeginRefresh) -> Result<Begun>;

    /// Writes what a refresh brought where the version that was refreshed still stands, whoever holds the lease now: what
    /// an authorization server gave is the only thing that it takes the next time. Ends the lease, counts it among the refreshes
    /// of the provider, and lets the provider be chosen again where it was in need of a refresh. Wakes readers.
    async fn finish_refresh(&self, finish: FinishRefresh) -> Result<CredentialOutcome>;

    /// Ends a lease without a new credential, where the fence and the version are still its own. False where they are not.
    /// Wakes readers.
    async fn fail_refresh(&self, fail: FailRefresh) -> Result<bool>;

    /// Credentials in all pools that are to be refreshed by now and may be: neither dead, nor held, nor backing off. The
    /// most urgent first.
    async fn due(&self, list: ListDue) -> Result<Vec<DueCredential>>;

    /// Which keys credentials are sealed with.
    async fn credential_seal_keys(&self) -> Result<Vec<String>>;

    /// Credentials that are sealed with any other key than this one, at most so many.
    async fn credentials_not_sealed_with(&self, key: &str, limit: u32) -> Result<Vec<(PoolName, ProviderId)>>;

    /// Replaces the seal of a credential that still has this version, and nothing else of it. False where it has not.
    async fn reseal_credential(&self, reseal: ResealCredential) -> Result<bool>;
}
