//! What people set back, or set by hand.

use super::{Circuit, Pool};
use crate::providers::port::{AddCounts, ResetProviders, StandBreaker};
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

    /// Adds what was counted elsewhere. Whether it was added before is for the store to remember.
    pub fn add_counts(&mut self, add: &AddCounts) {
        for counts in &add.counts {
            let Some(member) = self.find_mut(&counts.provider) else { continue };
            let counters = &mut member.counters;
            counters.requests = counters.requests.saturating_add_signed(counts.requests);
            counters.errors = counters.errors.saturating_add(counts.errors);
            counters.used_at = counters.used_at.max(counts.used_at);
            counters.failed_at = counters.failed_at.max(counts.failed_at);
        }
    }

    /// Forces a circuit open, or closes it; answers what it was.
    pub fn stand(&mut self, stand: &StandBreaker) -> Option<BreakerState> {
        let member = self.find_mut(&stand.provider)?;
        let was = member.circuit.breaker.state;
        let reason = (stand.state != BreakerState::Closed).then(|| stand.reason.clone());
        let since = member.circuit.breaker.since;
        member.circuit.stand(stand.state, reason, stand.now);
        if was == stand.state {
            // To say so again is no change.
            member.circuit.breaker.since = since;
        }
        Some(was)
    }
}
