//! Choosing a provider, and saying how it went.

use super::records::{BreakerState, PoolName};
use mainstay_api::Timestamp;
use mainstay_api::providers::{LeaseId, ProviderId};
use std::time::Duration;

/// How one of the providers that may be chosen is chosen. One that is let through to see whether it has recovered comes before
/// the others. Where two are equal, the smaller id is chosen.
///
/// *The longest time since the last* goes by [`super::Counters::sequence`], so that it tells choices of the same millisecond apart,
/// and then by [`super::Counters::used_at`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// The lowest score of the founding system: the time of the last choice in milliseconds (24 hours ago where there was
    /// none) + 10,000 for each request + 1,000 for each number of its last choice. What was found healthy by a check
    /// within two minutes and has had no request comes before all others.
    #[default]
    Score,
    /// The fewest requests, then the longest time since the last.
    LeastUsed,
    /// The longest time since the last request.
    LeastRecentlyUsed,
    /// One after the other, in the order of the pool.
    RoundRobin,
    /// In turns, by weight, spread evenly (stride scheduling: each choice moves a provider on by a stride that is the smaller the
    /// greater its weight, and the one that is furthest behind is chosen). Who was away does not catch up.
    Weighted,
    /// The fewest requests in flight for its weight, then the longest time since the last.
    LeastInFlight,
    /// The lowest priority that has room, then the longest time since the last.
    Priority,
}

/// Requests of one session go to one provider for as long as it may be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sticky {
    /// The session: a digest, never what a client sent.
    pub key: String,
    /// How long it is remembered after its last request.
    pub ttl: Duration,
}

/// When failures make a provider unhealthy, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthRules {
    /// Failures in a row that make it unhealthy (`MAX_ERROR_COUNT`).
    pub max_failures: u32,
    /// A failure later than this after the last begins to count anew; the founding system has 10 s.
    pub window: Duration,
    /// How long an unhealthy one is left alone before one request is let through to see.
    pub retry_after: Duration,
}

impl Default for HealthRules {
    fn default() -> Self {
        Self { max_failures: 10, window: Duration::from_secs(10), retry_after: Duration::from_secs(60) }
    }
}

/// When the circuit of an upstream is broken. The defaults are those of the founding document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerRules {
    /// Answers of the kind 5xx, and failures of the network, within the window that open it; 0 for never.
    pub max_errors: u32,
    /// The window of errors.
    pub error_window: Duration,
    /// How long it stays open.
    pub open_for: Duration,
    /// An answer that took longer than this until its first byte is slow.
    pub slow_after: Duration,
    /// More slow answers than this part in a thousand make it half-open: 50 says that the 95th percentile is too slow, and 1,000
    /// says never.
    pub slow_per_mille: u32,
    /// For how long slowness must last: the answers of so much time are looked at, once there are answers since then.
    pub slow_for: Duration,
    /// Fewer answers than this within [`Self::slow_for`] say nothing.
    pub min_answers: u32,
    /// Where it is half-open, one in so many requests is let through.
    pub sample: u32,
    /// Successes in a row that close a half-open one.
    pub successes_to_close: u32,
    /// Nodes that must each have seen an error before errors open it.
    pub quorum: u32,
}

impl Default for BreakerRules {
    fn default() -> Self {
        Self {
            max_errors: 3,
            error_window: Duration::from_secs(60),
            open_for: Duration::from_secs(60),
            slow_after: Duration::from_secs(3),
            slow_per_mille: 50,
            slow_for: Duration::from_secs(120),
            min_answers: 20,
            sample: 10,
            successes_to_close: 3,
            quorum: 1,
        }
    }
}

/// The rules by which a pool chooses and judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SelectionRules {
    /// How one is chosen.
    pub strategy: Strategy,
    /// When one is unhealthy.
    pub health: HealthRules,
    /// When a circuit is broken.
    pub breaker: BreakerRules,
}

/// A choice to make.
#[derive(Debug, Clone)]
pub struct Choose {
    /// Of which pool.
    pub pool: PoolName,
    /// For which model; providers that exclude it are left out.
    pub model: Option<String>,
    /// The session, where requests of one are to stay together.
    pub sticky: Option<Sticky>,
    /// Providers that were tried for this request already.
    pub except: Vec<ProviderId>,
    /// The id of this use. A choice that is repeated under it while it lasts answers what was chosen, and counts nothing.
    pub lease: LeaseId,
    /// Which node asks.
    pub node: String,
    /// How long the use lasts where nobody renews it.
    pub lease_for: Duration,
    /// The rules.
    pub rules: SelectionRules,
    /// The present.
    pub now: Timestamp,
}

/// What was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The provider.
    pub provider: ProviderId,
    /// The version of its settings: what was read of it under this version is current.
    pub settings: u64,
    /// The version of its credential, where it has one.
    pub credential: Option<u64>,
    /// The revision of the pool.
    pub revision: u64,
    /// Whether this request is let through to see whether the provider has recovered.
    pub probe: bool,
}

/// Why nothing could be chosen: how many providers each reason left out. The first that holds is counted, in this order: disabled,
/// tried already, without the model, unhealthy, full, open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NoneFree {
    /// Providers in the pool.
    pub providers: u32,
    /// Disabled.
    pub disabled: u32,
    /// Unhealthy, or in need of a refresh.
    pub unhealthy: u32,
    /// With an open circuit.
    pub open: u32,
    /// With as many requests as they take.
    pub full: u32,
    /// Without the model.
    pub without_model: u32,
    /// Tried already.
    pub excepted: u32,
    /// When the first of them may be chosen again, where that is known.
    pub retry_at: Option<Timestamp>,
}

/// What became of a choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// One was chosen, counted, and is in use.
    Chosen(Chosen),
    /// None may be chosen now.
    NoneFree(NoneFree),
    /// There is no such pool.
    NoPool,
}

/// Uses to renew, before they end by themselves.
#[derive(Debug, Clone)]
pub struct Renew {
    /// Of which pool.
    pub pool: PoolName,
    /// Which.
    pub leases: Vec<LeaseId>,
    /// How long they last from now on.
    pub lease_for: Duration,
    /// The present.
    pub now: Timestamp,
}

/// What kind of failure it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureClass {
    /// 401: the credential is no longer taken.
    Unauthorized,
    /// 402: what was paid for is used up.
    PaymentRequired,
    /// 403.
    Forbidden,
    /// 429.
    RateLimited,
    /// 5xx.
    Server,
    /// Not reached, cut off, or no answer in time.
    Network,
}

/// A failure of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Of what kind.
    pub class: FailureClass,
    /// What it said, shortened, without a secret.
    pub message: String,
    /// Whether it counts towards the threshold of the rules.
    pub counts: bool,
    /// Whether it makes the provider unhealthy at once.
    pub condemns: bool,
    /// Until when the provider is left alone in any case: `Retry-After`, or when what is used up is there again.
    pub retry_at: Option<Timestamp>,
    /// Whether the credential must be refreshed first.
    pub needs_refresh: bool,
}

/// How a use went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered.
    Success,
    /// It was answered, and the answer says nothing about the provider: 400, or a client that went away.
    Neutral,
    /// It never reached the provider, for a reason on this side: the request is not counted.
    Unsent,
    /// It failed.
    Failed(Failure),
}

/// A use that is over.
#[derive(Debug, Clone)]
pub struct Finish {
    /// Which.
    pub lease: LeaseId,
    /// With which provider.
    pub provider: ProviderId,
    /// Which node used it.
    pub node: String,
    /// How it went.
    pub outcome: Outcome,
    /// How long the first byte of the answer took, where one came.
    pub first_byte: Option<Duration>,
}

/// A circuit that changed its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// Whose.
    pub provider: ProviderId,
    /// What it was.
    pub from: BreakerState,
    /// What it is.
    pub to: BreakerState,
    /// Why.
    pub reason: String,
}

/// What became of uses that are over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Finished {
    /// How many were in use, and are no longer. What was over before (repeated, or ended by itself) changes nothing.
    pub applied: u32,
    /// Circuits that changed by it.
    pub transitions: Vec<Transition>,
}
