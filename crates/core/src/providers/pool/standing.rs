//! What people set back, or set by hand.

use super::{Circuit, Pool};
use crate::providers::port::{ResetProviders, StandBreaker};
use crate::providers::records::{BreakerState, Counters, Health};

impl Pool {
    /// Sets counters or health back; answers how many providers that were.
    pub fn reset(&mut self, reset: &ResetProviders) -> u32 {
        let mut count = 0;
        for member in &mut self.providers {
            if reset.provider.as_ref().is_some_and(|wanted| *wanted != member.id) {
                continue;
            }
            count += 1;
            if reset.counters {
                member.counters = Counters::default();
            }
            if reset.health {
                member.health = Health::default();
                if member.circuit.breaker.state != BreakerState::ForcedOpen {
                    member.circuit = Circuit::default();
                }
            }
        }
        count
    }

    /// Forces a circuit open, or closes it; answers what it was.
    pub fn stand(&mut self, stand: &StandBreaker) -> Option<BreakerState> {
        let member = self.find_mut(&stand.provider)?;
        let was = member.circuit.breaker.state;
        let reason = (stand.state != BreakerState::Closed).then(|| stand.reason.clone());
        member.circuit.stand(stand.state, reason, stand.now);
        Some(was)
    }
}
