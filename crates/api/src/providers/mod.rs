//! Providers: pools of upstreams, what they hold, and the keys of those who use them.

mod changing;
mod credential;
mod ids;
mod pool;

pub use changing::{
    AddProvider, BreakerAction, MAX_COUNT, MAX_FAILURE_BYTES, MAX_POOLS, MAX_PROVIDERS, MAX_REASON_BYTES,
    MAX_SETTINGS_BYTES, ProvidersReset, PutPool, PutProvider, ResetProviders, SetBreaker,
};
pub use credential::{Credential, PutCredentialQuery, RefreshPhase, RefreshState};
pub use ids::{GatewayKeyId, LeaseId, PoolType, ProviderId};
pub use pool::{CircuitState, Pool, PoolEntry, PoolList, Provider, ProviderBreaker, ProviderCounters, ProviderHealth};
