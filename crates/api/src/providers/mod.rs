//! Providers: pools of upstreams, what they hold, and the keys of those who use them.

mod ids;

pub use ids::{GatewayKeyId, LeaseId, PoolType, ProviderId};
