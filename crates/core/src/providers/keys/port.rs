//! What gateway keys need from a store.

use crate::error::Result;
use async_trait::async_trait;
use mainstay_api::providers::{GatewayKeyId, LeaseId, PoolType, ProviderId};
use mainstay_api::{Namespace, RawJson, Timestamp};

/// How long after it was let in a request can be settled, in milliseconds: 48 hours. What was reserved for one that nobody
/// settled until then stays counted.
pub const SETTLE_WITHIN_MS: i64 = 48 * 60 * 60 * 1_000;

/// How long a budget lasts before it begins anew. Days, weeks (from Monday) and months are those of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Period {
    /// A day.
    Day,
    /// A week.
    Week,
    /// A month.
    Month,
    /// For as long as the key lives.
    Total,
}

/// What a key may use. What is absent is not limited.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyLimits {
    /// Requests in any 60 seconds.
    pub requests_per_minute: Option<u32>,
    /// Tokens, in and out, in any 60 seconds.
    pub tokens_per_minute: Option<u64>,
    /// Requests in a day of UTC.
    pub requests_per_day: Option<u32>,
    /// Requests beyond those of a day that were ever granted; each is used once ([`Tally::bonus_used`]).
    pub bonus_requests: u32,
    /// Requests at a time.
    pub in_flight: Option<u32>,
    /// Millionths of the unit of the prices, in a period.
    pub budget: Option<(u64, Period)>,
}

/// A key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// Its id, which is no secret.
    pub id: GatewayKeyId,
    /// The digest of its secret.
    pub digest: String,
    /// Where its pools are.
    pub namespace: Namespace,
    /// All that was said of it, opaque to the store: its name, models, pools, its end, what it was imported from.
    pub body: RawJson,
    /// The key of the ring that something in the body is sealed with.
    pub seal_key: Option<String>,
    /// What it may use.
    pub limits: KeyLimits,
    /// Whether it is refused.
    pub disabled: bool,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// Grows with every change, from 1.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// What it used.
    pub tally: Tally,
}

/// What a key used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Requests, ever.
    pub requests: u64,
    /// Requests of [`Self::day`].
    pub requests_today: u32,
    /// The day of UTC that the requests of today are of, as days since 1970.
    pub day: u32,
    /// Requests beyond those of a day that were used.
    pub bonus_used: u32,
    /// Tokens in and out, ever.
    pub tokens: u64,
    /// What it spent in the period of its budget that began at [`Self::spent_from`], with what is reserved.
    pub spent: u64,
    /// When that period began. It never goes back, whatever clocks say.
    pub spent_from: Timestamp,
    /// Requests in flight.
    pub in_flight: u32,
    /// When it was last used.
    pub used_at: Option<Timestamp>,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            requests: 0,
            requests_today: 0,
            day: 0,
            bonus_used: 0,
            tokens: 0,
            spent: 0,
            spent_from: Timestamp::from_millis(0),
            in_flight: 0,
            used_at: None,
        }
    }
}

/// A key to make.
#[derive(Debug, Clone)]
pub struct CreateKey {
    /// The key, with what it has used where it is imported.
    pub record: KeyRecord,
    /// Most keys of a namespace.
    pub max_keys: u32,
    /// The present.
    pub now: Timestamp,
}

/// A key to change. Its tally is not touched.
#[derive(Debug, Clone)]
pub struct ChangeKey {
    /// Which, as it is to be; its version is the one that is replaced.
    pub record: KeyRecord,
    /// The present.
    pub now: Timestamp,
}

/// What became of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyOutcome {
    /// It has this version.
    Stored(u64),
    /// It has another version than was expected.
    Conflict(u64),
    /// The id or the secret is in use.
    Exists,
    /// There is no such key.
    NotFound,
    /// There are as many keys as there may be.
    Full,
}

/// What a request may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reserve {
    /// Tokens, in and out, at most.
    pub tokens: u64,
    /// Millionths of the unit of the prices, at most.
    pub cost: u64,
}

/// A request to let in.
#[derive(Debug, Clone)]
pub struct Admit {
    /// The digest of the secret that came with it.
    pub digest: String,
    /// The id of the request. The same is let in once, while it is open or within the minute.
    pub request: LeaseId,
    /// What it may cost.
    pub reserve: Reserve,
    /// Until when it is in flight where nobody settles it, at most a day.
    pub until: Timestamp,
    /// The present.
    pub now: Timestamp,
}

/// A limit of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Requests in any 60 seconds.
    RequestsPerMinute,
    /// Tokens in any 60 seconds.
    TokensPerMinute,
    /// Requests in a day.
    RequestsPerDay,
    /// Requests at a time.
    InFlight,
}

/// Why a request is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The key is disabled.
    Disabled,
    /// The key has ended.
    Expired,
    /// A limit is reached.
    Limited {
        /// Which.
        limit: Limit,
        /// When there is room again: of requests at a time nobody knows, and a second is said.
        retry_at: Timestamp,
    },
    /// The budget does not cover what the request may cost.
    Budget {
        /// When the next period begins; absent where there is none.
        retry_at: Option<Timestamp>,
    },
}

/// Whether a request is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// It is, counted and reserved in the same step.
    Admitted(Box<KeyRecord>),
    /// It is not; nothing is counted.
    Refused(Refusal),
    /// There is no such key.
    Unknown,
}

/// What a request used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    /// Tokens that were sent.
    pub input_tokens: u64,
    /// Of those, tokens that the upstream had in its cache.
    pub cached_tokens: u64,
    /// Tokens that were received.
    pub output_tokens: u64,
    /// Millionths of the unit of the prices.
    pub cost: u64,
    /// Whether the upstream said so; else it is an estimate from what was received.
    pub reported: bool,
}

/// A request that is over. Settling it a second time changes nothing.
#[derive(Debug, Clone)]
pub struct Settle {
    /// The digest of the key; absent where who asked had no gateway key.
    pub digest: Option<String>,
    /// The words for who asked, in usage: the id of the key, or the name of the principal.
    pub label: String,
    /// Where.
    pub namespace: Namespace,
    /// The request.
    pub request: LeaseId,
    /// The pool that answered.
    pub pool: PoolType,
    /// The provider that answered.
    pub provider: ProviderId,
    /// The model that answered.
    pub model: String,
    /// What it used.
    pub spent: Spent,
    /// Whether it failed, for usage. What it used all the same is spent.
    pub failed: bool,
    /// When it was let in: usage is that of this day, whenever it is settled.
    pub admitted_at: Timestamp,
    /// Most rows of usage in a day of the namespace; past it, models and providers are told as one, `*`.
    pub max_rows: u32,
    /// The present.
    pub now: Timestamp,
}

/// Which usage.
#[derive(Debug, Clone)]
pub struct ListUsage {
    /// Where.
    pub namespace: Namespace,
    /// Of which key or principal; of all where absent.
    pub label: Option<String>,
    /// From this day on, as days since 1970.
    pub from_day: u32,
    /// Up to and with this day.
    pub to_day: u32,
    /// Behind this row.
    pub after: Option<UsagePlace>,
    /// Most rows.
    pub limit: u32,
}

/// Where a row of usage stands among the others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsagePlace {
    /// The day, as days since 1970.
    pub day: u32,
    /// Who asked.
    pub label: String,
    /// The pool that answered.
    pub pool: String,
    /// The provider that answered.
    pub provider: String,
    /// The model that answered.
    pub model: String,
}

/// What one key, model and provider used on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRow {
    /// The day, who asked, and what answered.
    pub place: UsagePlace,
    /// Requests.
    pub requests: u64,
    /// Of those, requests that failed.
    pub failed: u64,
    /// What they used; `reported` where every one was.
    pub spent: Spent,
}

/// Gateway keys and usage, in a store. A key, with its reservations, is one aggregate, found by the digest of its secret.
/// What is counted of a minute, a day or a period is exact across nodes: each admission is one atomic step. The usage of a
/// namespace on a day is another aggregate, and counts each request once.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// Makes a key. A repetition (same digest, id and moment) answers the same.
    async fn create_key(&self, create: CreateKey) -> Result<KeyOutcome>;

    /// Changes the body, the limits, the end and whether it is refused, where it has the version of the record.
    async fn change_key(&self, change: ChangeKey) -> Result<KeyOutcome>;

    /// Removes a key with its reservations; its usage stays. False where there is none.
    async fn remove_key(&self, namespace: &Namespace, id: &GatewayKeyId) -> Result<bool>;

    /// One key.
    async fn key(&self, namespace: &Namespace, id: &GatewayKeyId, now: Timestamp) -> Result<Option<KeyRecord>>;

    /// The key of a secret.
    async fn key_of(&self, digest: &str, now: Timestamp) -> Result<Option<KeyRecord>>;

    /// The keys of a namespace by id, behind one, at most so many. Fewer do not say that there are no more: it ends with an
    /// empty list.
    async fn keys(
        &self,
        namespace: &Namespace,
        after: Option<&GatewayKeyId>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<KeyRecord>>;

    /// The ids of the keys of the ring that something in a body is sealed with, in any namespace.
    async fn seal_keys(&self) -> Result<Vec<String>>;

    /// The namespaces that have, or had, keys.
    async fn key_namespaces(&self) -> Result<Vec<Namespace>>;

    /// Lets a request in, or says why not: the key's state, its limits and its budget are looked at, and the request counted and
    /// reserved, in one step. A repetition of one that was let in says so again.
    ///
    /// A request that may use more tokens than a minute allows waits for a minute without any.
    async fn admit(&self, admit: Admit) -> Result<Admission>;

    /// Takes an admission back, as if it had never been asked for: nothing was sent. False where nothing is reserved.
    async fn withdraw(&self, digest: &str, request: &LeaseId) -> Result<bool>;

    /// Settles a request: what was reserved is replaced by what it used, and the usage of the day grows. Once for each
    /// request: false where it was settled before, or was let in longer than [`SETTLE_WITHIN_MS`] ago.
    ///
    /// Where nothing is reserved (no gateway key, one that is gone), usage alone grows.
    async fn settle(&self, settle: Settle) -> Result<bool>;

    /// Usage by day, who asked, pool, provider and model, in that order, behind a row.
    async fn usage(&self, list: ListUsage) -> Result<Vec<UsageRow>>;

    /// Forgets reservations and settled requests of longer than [`SETTLE_WITHIN_MS`] ago, and usage before a day on which nothing
    /// can be settled any more, in bounded steps; finishes what a crash left half done. Answers whether there is more.
    async fn purge(&self, now: Timestamp, before_day: u32) -> Result<bool>;
}
