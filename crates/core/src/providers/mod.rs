//! Providers: upstreams in pools, chosen one at a time by all nodes together; their credentials; the keys and the usage of
//! those who ask.
//!
//! *Invariant:* what is written of a provider has four domains that never overwrite one another: settings, health,
//! counters, and the credential.
//!
//! *Invariant:* a request is counted in the step that chooses its provider, before anything is sent: counters are never
//! less than what upstreams saw.

mod choosing;
pub mod credentials;
pub mod keys;
pub mod pool;
mod port;
mod records;
mod refusals;
mod service;
pub mod settings;
mod walking;
mod watch;

pub use choosing::{
    BreakerRules, Choice, Choose, Chosen, Failure, FailureClass, Finish, Finished, HealthRules, NoneFree, Outcome,
    Renew, SelectionRules, Sticky, Strategy, Transition,
};
pub use port::{
    AddCounts, COUNTS_MEMO_MS, ChangePool, CheckClaim, Checked, ClaimCheck, CountsOf, FinishUses, PatchProvider,
    PoolChange, PoolOutcome, ProviderStore, ReplacePool, ResealSettings, ResetProviders, SeededProvider, StandBreaker,
};
pub use records::{
    Breaker, BreakerState, Counters, Health, PoolName, PoolRecord, PoolSummary, ProviderRecord, ProviderSettings,
    Traits,
};
pub use service::{InPool, ProviderParts, ProviderRules, ProviderService, SettingsChange, owner, sealing};
pub use walking::all_pools;
pub use watch::CircuitWatch;
