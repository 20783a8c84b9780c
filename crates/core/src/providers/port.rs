//! What pools of providers need from a store.

use super::choosing::{Choice, Choose, Finish, Finished, Outcome, Renew, SelectionRules};

use super::records::{BreakerState, Counters, Health, PoolName, PoolRecord, PoolSummary, ProviderRecord, Traits};
use crate::error::Result;
use async_trait::async_trait;
use mainstay_api::providers::ProviderId;
use mainstay_api::{Namespace, RawJson, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A provider as it enters a pool.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SeededProvider {
    /// Which.
    pub id: ProviderId,
    /// See [`super::ProviderSettings::body`].
    pub body: RawJson,
    /// See [`super::ProviderSettings::traits`].
    pub traits: Traits,
    /// See [`super::ProviderSettings::seal_key`].
    pub seal_key: Option<String>,
    /// What its health is; what it was, or that of a new one, where absent.
    pub health: Option<Health>,
    /// What its counters are; what they were, or nothing, where absent.
    pub counters: Option<Counters>,
}

/// A pool to replace as a whole.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReplacePool {
    /// See [`PoolRecord::settings`].
    pub settings: RawJson,
    /// Its providers, in their order, each once. Those that were in it keep their health, counters and credentials.
    pub providers: Vec<SeededProvider>,
}

/// Settings of a provider to change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PatchProvider {
    /// Which.
    pub id: ProviderId,
    /// See [`super::ProviderSettings::body`].
    pub body: RawJson,
    /// See [`super::ProviderSettings::traits`].
    pub traits: Traits,
    /// See [`super::ProviderSettings::seal_key`].
    pub seal_key: Option<String>,
    /// The version of its settings that is replaced; any where absent.
    pub expected: Option<u64>,
}

/// A change of a pool.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum PoolChange {
    /// Replaces it, or makes it. Settings of a provider that stay the same keep their version.
    Replace(ReplacePool),
    /// Replaces the settings of the pool itself; makes an empty pool where there is none.
    Settings(RawJson),
    /// Adds a provider at the end; makes the pool where there is none. One that is there with the same settings stays as it is.
    Add(SeededProvider),
    /// Replaces the settings of a provider, and nothing else of it.
    Patch(PatchProvider),
    /// Removes a provider with all that is known of it.
    Remove(ProviderId),
    /// Removes the pool with all that is in it.
    Drop,
}

/// A change of a pool to make.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChangePool {
    /// Of which pool.
    pub pool: PoolName,
    /// What.
    pub change: PoolChange,
    /// The revision of the pool that is changed, 0 where there is none; any where absent.
    pub expected: Option<u64>,
    /// Most providers in a pool.
    pub max_providers: u32,
    /// The present.
    pub now: Timestamp,
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PoolOutcome {
    /// It is made; the pool has this revision now.
    Changed(u64),
    /// The pool, or the settings of the provider, have another version than was expected.
    Conflict {
        /// What they have; 0 where there is nothing.
        current: u64,
    },
    /// The provider that was to be added is there with other settings.
    Exists,
    /// There is no such pool, or no such provider.
    NotFound,
    /// The pool is full.
    Full,
}

/// Uses that are over.
#[derive(Debug, Clone)]
pub struct FinishUses {
    /// Of which pool.
    pub pool: PoolName,
    /// Which, and how they went.
    pub uses: Vec<Finish>,
    /// By which rules they are judged.
    pub rules: SelectionRules,
    /// The present.
    pub now: Timestamp,
}

/// A check of a provider that a node would make.
#[derive(Debug, Clone)]
pub struct ClaimCheck {
    /// Of which pool.
    pub pool: PoolName,
    /// Of which provider.
    pub provider: ProviderId,
    /// How long checks of it are apart.
    pub every: Duration,
    /// The present.
    pub now: Timestamp,
}

/// Whose turn a check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckClaim {
    /// It is due, and nobody else makes it.
    Granted,
    /// It is not due, or somebody has made it, or the provider is to be left alone.
    NotBefore(Timestamp),
    /// There is no such provider.
    NotFound,
}

/// What an active check of a provider showed.
#[derive(Debug, Clone)]
pub struct Checked {
    /// Of which pool.
    pub pool: PoolName,
    /// Of which provider.
    pub provider: ProviderId,
    /// Which node looked.
    pub node: String,
    /// The model that was asked.
    pub model: Option<String>,
    /// How it went.
    pub outcome: Outcome,
    /// By which rules it is judged.
    pub rules: SelectionRules,
    /// The present.
    pub now: Timestamp,
}

/// Counters and health to set back.
#[derive(Debug, Clone)]
pub struct ResetProviders {
    /// Of which pool.
    pub pool: PoolName,
    /// Of which provider; of all where absent.
    pub provider: Option<ProviderId>,
    /// Whether counters begin at 0 again.
    pub counters: bool,
    /// Whether health, and the circuit where it is not forced open, are as of a new one.
    pub health: bool,
    /// The present.
    pub now: Timestamp,
}

/// A circuit to set by hand.
#[derive(Debug, Clone)]
pub struct StandBreaker {
    /// Of which pool.
    pub pool: PoolName,
    /// Of which provider.
    pub provider: ProviderId,
    /// [`BreakerState::ForcedOpen`] or [`BreakerState::Closed`].
    pub state: BreakerState,
    /// Why.
    pub reason: String,
    /// The present.
    pub now: Timestamp,
}

/// Settings of a provider to seal with another key. They stay the same settings.
#[derive(Debug, Clone)]
pub struct ResealSettings {
    /// Of a provider in which pool.
    pub pool: PoolName,
    /// Of which provider.
    pub provider: ProviderId,
    /// The version of the settings that were sealed anew.
    pub version: u64,
    /// See [`super::ProviderSettings::body`].
    pub body: RawJson,
    /// See [`super::ProviderSettings::seal_key`].
    pub seal_key: Option<String>,
}

/// What was counted of a provider elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountsOf {
    /// Which.
    pub provider: ProviderId,
    /// Requests that it was chosen for; fewer than none where more were taken back than made.
    pub requests: i64,
    /// Requests that failed by its fault.
    pub errors: u64,
    /// When it was last chosen.
    pub used_at: Option<Timestamp>,
    /// When it last failed.
    pub failed_at: Option<Timestamp>,
}

/// Counts to add: those of choices that a node made while the store was away.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AddCounts {
    /// Of which pool.
    pub pool: PoolName,
    /// What a repetition is recognised by, for [`COUNTS_MEMO_MS`].
    pub memo: String,
    /// What was counted.
    pub counts: Vec<CountsOf>,
    /// The present.
    pub now: Timestamp,
}

/// How long counts that were added are remembered, in milliseconds: a week.
pub const COUNTS_MEMO_MS: i64 = 7 * 24 * 60 * 60 * 1_000;

/// Pools of providers, in a store. A pool is one aggregate: each verb is one atomic step on it, and a reader sees the pool
/// before a change or after it, never in between.
#[async_trait]
pub trait ProviderStore: Send + Sync {
    /// The pools of a namespace, by name.
    async fn pools(&self, namespace: &Namespace) -> Result<Vec<PoolSummary>>;

    /// The pools of all namespaces, by namespace and name: at most so many, behind the one that is named. It is a hint for jobs:
    /// a pool that was dropped may be among them.
    async fn everywhere(&self, after: Option<&PoolName>, limit: u32) -> Result<Vec<PoolName>>;

    /// A pool with its providers; absent where there is none.
    async fn pool(&self, pool: &PoolName, now: Timestamp) -> Result<Option<PoolRecord>>;

    /// One provider.
    async fn provider(&self, pool: &PoolName, id: &ProviderId, now: Timestamp) -> Result<Option<ProviderRecord>>;

    /// Changes a pool. A repetition (same change, same time) within an hour, and 64 changes, changes nothing and answers the same.
    /// Wakes readers.
    async fn change(&self, change: ChangePool) -> Result<PoolOutcome>;

    /// Chooses a provider, counts the request with its time, and notes that it is in use, in one step. Uses that have ended
    /// by themselves make room first. Which providers may be chosen: not disabled, not excepted, not full, with the model, with a closed
    /// circuit (or as the probe of one that is not), healthy (or due to be tried again, one request at a time), and
    /// not in need of a refresh.
    async fn choose(&self, choose: Choose) -> Result<Choice>;

    /// Keeps uses from ending by themselves. What is over already stays over.
    async fn renew(&self, renew: Renew) -> Result<()>;

    /// Ends uses, with what they showed: health, errors and circuits change in the same step, by the rules. A use that is over
    /// changes nothing. Wakes readers where a circuit or the health of a provider changed.
    async fn finish(&self, uses: FinishUses) -> Result<Finished>;

    /// Takes the next check of a provider: of all nodes that ask, one is told so once in the time that checks are apart. Nobody is
    /// where the provider is disabled, has asked to be left alone, or has an open circuit that is not to be probed yet.
    async fn claim_check(&self, claim: ClaimCheck) -> Result<CheckClaim>;

    /// Records what an active check of a provider showed: healthy again, or the failure. A check is no request, and not counted. To a
    /// circuit it is a probe. Wakes readers as [`Self::finish`] does. Applied to one provider, or to none where it is not there.
    async fn checked(&self, check: Checked) -> Result<Finished>;

    /// Sets counters or health back. Answers how many providers that were. Wakes readers.
    async fn reset(&self, reset: ResetProviders) -> Result<u32>;

    /// Forces a circuit open, or closes it. Answers what it was; nothing where there is no such provider. Wakes readers.
    async fn stand(&self, stand: StandBreaker) -> Result<Option<BreakerState>>;

    /// Adds to counters what was counted elsewhere, and moves their times on where these are later. Once for each memo; a
    /// provider that is not there is passed over. False where there is no such pool.
    async fn add_counts(&self, add: AddCounts) -> Result<bool>;

    /// Which keys settings of providers are sealed with, each once.
    async fn settings_seal_keys(&self) -> Result<Vec<String>>;

    /// Providers in all pools whose settings are sealed with any other key than this one, at most so many.
    async fn settings_not_sealed_with(&self, key: &str, limit: u32) -> Result<Vec<(PoolName, ProviderId)>>;

    /// Replaces the seals of settings that still have this version, and nothing else of them. False where they have not.
    async fn reseal_settings(&self, reseal: ResealSettings) -> Result<bool>;
}
