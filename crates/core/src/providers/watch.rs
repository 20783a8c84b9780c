//! Whoever is told of circuits.

use super::choosing::Transition;
use super::records::PoolName;
use mainstay_api::Timestamp;

/// Is told of circuits that change, by the node whose step changed them.
pub trait CircuitWatch: Send + Sync {
    /// A circuit changed in a step of this time, which is since when it is in its new state.
    fn changed(&self, pool: &PoolName, transition: &Transition, at: Timestamp);
}
