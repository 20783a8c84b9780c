//! Providers: pools of upstreams, what they hold, and the keys of those who use them.

mod credential;
mod ids;

pub use credential::{Credential, PutCredentialQuery, RefreshPhase, RefreshState};
pub use ids::{GatewayKeyId, LeaseId, PoolType, ProviderId};
