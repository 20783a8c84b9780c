//! Whose turn a check is.

use super::{Member, Pool};
use crate::providers::port::{CheckClaim, ClaimCheck};
use crate::providers::records::BreakerState;
use mainstay_api::Timestamp;

impl Pool {
    /// Takes the next check of a provider, where it is due and the provider is not to be left alone.
    pub fn claim_check(&mut self, claim: &ClaimCheck) -> CheckClaim {
        let Some(member) = self.find_mut(&claim.provider) else { return CheckClaim::NotFound };
        let next = claim.now.after(claim.every);
        if let Some(rests) = member.rests_until(next).filter(|until| *until > claim.now) {
            return CheckClaim::NotBefore(rests);
        }
        // A claim from so far ahead is of a clock that was wrong.
        let last = member.claimed_at.filter(|at| *at <= next);
        match last.map(|at| at.after(claim.every)).filter(|due| *due > claim.now) {
            Some(due) => CheckClaim::NotBefore(due),
            None => {
                member.claimed_at = Some(claim.now);
                CheckClaim::Granted
            }
        }
    }
}

impl Member {
    /// Until when nothing is to be sent to it, as somebody, its own words, or its circuit say.
    fn rests_until(&self, next: Timestamp) -> Option<Timestamp> {
        let breaker = &self.circuit.breaker;
        let (wish, probe) = (self.health.retry_at, breaker.probe_at);
        match breaker.state {
            _ if self.settings.traits.disabled => Some(next),
            BreakerState::ForcedOpen => Some(next),
            BreakerState::Open => wish.max(probe),
            BreakerState::Closed | BreakerState::HalfOpen => wish,
        }
    }
}
