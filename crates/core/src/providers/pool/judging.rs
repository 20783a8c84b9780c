//! What uses and checks show, and what follows from it.

use super::{Answers, Circuit, MAX_MARKS, Member, Pool};
use crate::providers::choosing::{
    BreakerRules, Failure, FailureClass, Finished, HealthRules, Outcome, Renew, SelectionRules, Transition,
};
use crate::providers::port::{Checked, FinishUses};
use crate::providers::records::{Breaker, BreakerState, Health};
use mainstay_api::Timestamp;
use std::collections::BTreeSet;
use std::time::Duration;

/// Parts that the window of slowness is looked at in.
const PARTS: i64 = 12;

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Judged {
    /// What is answered.
    pub finished: Finished,
    /// Whether a circuit, or the health of a provider, changed in a way that those who wait must see.
    pub wakes: bool,
}

/// What one use or check showed.
struct Showing<'a> {
    outcome: &'a Outcome,
    node: &'a str,
    first_byte: Option<Duration>,
    /// Whether it was to show whether the provider has recovered.
    probe: bool,
    /// Whether it was a request, which is counted.
    request: bool,
    rules: &'a SelectionRules,
    now: Timestamp,
}

impl Pool {
    /// Keeps uses from ending by themselves.
    pub fn renew(&mut self, renew: &Renew) {
        for lease in &renew.leases {
            if let Some(taken) = self.uses.get_mut(lease).filter(|taken| taken.ends_at > renew.now) {
                taken.ends_at = renew.now.after(renew.lease_for);
            }
        }
    }

    /// Ends uses, with what they showed.
    pub fn finish(&mut self, finish: &FinishUses) -> Judged {
        self.shed(finish.now);
        let mut judged = Judged::default();
        for ended in &finish.uses {
            let Some(taken) = self.end(&ended.lease) else { continue };
            judged.finished.applied += 1;
            let Some(member) = self.find_mut(&taken.provider) else { continue };
            let showing = Showing {
                outcome: &ended.outcome,
                node: &ended.node,
                first_byte: ended.first_byte,
                probe: taken.probe,
                request: true,
                rules: &finish.rules,
                now: finish.now,
            };
            member.show(&showing, &mut judged);
        }
        judged
    }

    /// Records what a check showed.
    pub fn check(&mut self, check: &Checked) -> Judged {
        let mut judged = Judged::default();
        let Some(member) = self.find_mut(&check.provider) else { return judged };
        judged.finished.applied = 1;
        if check.outcome != Outcome::Unsent {
            member.health.checked = Some((check.now, check.model.clone()));
        }
        let showing = Showing {
            outcome: &check.outcome,
            node: &check.node,
            first_byte: None,
            probe: true,
            request: false,
            rules: &check.rules,
            now: check.now,
        };
        member.show(&showing, &mut judged);
        judged
    }
}

impl Member {
    fn show(&mut self, showing: &Showing<'_>, judged: &mut Judged) {
        let before = standing(&self.health);
        match showing.outcome {
            Outcome::Success => self.health.succeed(showing.probe),
            Outcome::Failed(failure) => {
                if showing.request {
                    self.counters.errors += 1;
                    self.counters.failed_at = Some(showing.now);
                }
                self.health.fail(failure, showing, &showing.rules.health);
            }
            Outcome::Unsent if showing.request => self.counters.requests = self.counters.requests.saturating_sub(1),
            Outcome::Neutral | Outcome::Unsent => {}
        }
        judged.wakes |= standing(&self.health) != before;
        let from = self.circuit.breaker.state;
        if let Some(reason) = self.circuit.show(showing) {
            judged.wakes = true;
            let to = self.circuit.breaker.state;
            judged.finished.transitions.push(Transition { provider: self.id.clone(), from, to, reason });
        }
    }
}

/// What those who choose see of it.
fn standing(health: &Health) -> (bool, bool, Option<Timestamp>) {
    (health.unhealthy, health.needs_refresh, health.retry_at)
}

impl Health {
    /// Only a probe shows that what was unhealthy has recovered: another request may have been sent before it was found so.
    fn succeed(&mut self, probe: bool) {
        if self.unhealthy && !probe {
            return;
        }
        if self.unhealthy {
            self.unhealthy = false;
            self.retry_at = None;
        }
        self.failures = 0;
    }

    fn fail(&mut self, failure: &Failure, showing: &Showing<'_>, rules: &HealthRules) {
        let now = showing.now;
        if failure.counts {
            let follows = self.last_failure.as_ref().is_some_and(|(last, _)| last.after(rules.window) >= now);
            self.failures = if follows { self.failures.saturating_add(1) } else { 1 };
        }
        self.last_failure = Some((now, failure.message.clone()));
        let too_many = failure.counts && rules.max_failures > 0 && self.failures >= rules.max_failures;
        let again = self.unhealthy && showing.probe;
        if again || (!self.unhealthy && (failure.condemns || too_many)) {
            self.unhealthy = true;
            self.retry_at = Some(failure.retry_at.unwrap_or(now.after(rules.retry_after)));
        } else if failure.retry_at.is_some() {
            self.retry_at = self.retry_at.max(failure.retry_at);
        }
        self.needs_refresh |= failure.needs_refresh;
    }
}

impl Circuit {
    /// Changes the circuit by what was shown; answers why, where its state is another one.
    fn show(&mut self, showing: &Showing<'_>) -> Option<String> {
        let rules = &showing.rules.breaker;
        let broke = match showing.outcome {
            Outcome::Failed(failure) => matches!(failure.class, FailureClass::Server | FailureClass::Network),
            _ => false,
        };
        match self.breaker.state {
            BreakerState::ForcedOpen => None,
            BreakerState::Closed => {
                let opened = broke.then(|| self.mark(showing, rules)).flatten();
                opened.or_else(|| self.measure(showing, rules))
            }
            BreakerState::Open | BreakerState::HalfOpen if !showing.probe => None,
            from if broke => {
                self.open(rules, showing.now, "a probe failed".to_owned());
                (from != BreakerState::Open).then(|| "a probe failed".to_owned())
            }
            from if *showing.outcome == Outcome::Success => self.recover(from, showing, rules),
            _ => None,
        }
    }

    /// Notes a failure; opens where there are too many, seen by enough nodes.
    fn mark(&mut self, showing: &Showing<'_>, rules: &BreakerRules) -> Option<String> {
        let since = showing.now.before(rules.error_window);
        self.marks.retain(|(at, _)| *at > since);
        self.marks.push((showing.now, showing.node.to_owned()));
        if self.marks.len() > MAX_MARKS {
            self.marks.remove(0);
        }
        let nodes = self.marks.iter().map(|(_, node)| node).collect::<BTreeSet<_>>().len();
        let count = self.marks.len();
        if rules.max_errors == 0 || count < rules.max_errors as usize || nodes < rules.quorum as usize {
            return None;
        }
        let reason = format!("{count} failures within {} ms", rules.error_window.as_millis());
        self.open(rules, showing.now, reason.clone());
        Some(reason)
    }

    /// Counts an answer; half-opens where answers have been slow for long.
    fn measure(&mut self, showing: &Showing<'_>, rules: &BreakerRules) -> Option<String> {
        let took = showing.first_byte?;
        let (now, window) = (showing.now, i64::try_from(rules.slow_for.as_millis()).unwrap_or(i64::MAX));
        let part = now.as_millis() / (window / PARTS).max(1);
        self.answers.retain(|answers| answers.part > part - PARTS && answers.part <= part + 1);
        if self.answers.is_empty() {
            self.measured_since = Some(now);
        }
        let slow = u32::from(took > rules.slow_after);
        match self.answers.iter_mut().find(|answers| answers.part == part) {
            Some(answers) => {
                answers.total += 1;
                answers.slow += slow;
            }
            None => self.answers.push(Answers { part, total: 1, slow }),
        }
        let (total, slow) = self.answers.iter().fold((0_u64, 0_u64), |(total, slow), answers| {
            (total + u64::from(answers.total), slow + u64::from(answers.slow))
        });
        let long = self.measured_since.is_some_and(|since| since.after(rules.slow_for) <= now);
        if !long || total < u64::from(rules.min_answers) || slow * 1_000 <= u64::from(rules.slow_per_mille) * total {
            return None;
        }
        let reason = format!("answers take longer than {} ms", rules.slow_after.as_millis());
        self.stand(BreakerState::HalfOpen, Some(reason.clone()), now);
        Some(reason)
    }

    fn recover(&mut self, from: BreakerState, showing: &Showing<'_>, rules: &BreakerRules) -> Option<String> {
        let slow = showing.first_byte.is_some_and(|took| took > rules.slow_after);
        let successes = if slow { 0 } else { self.successes.saturating_add(1) };
        if successes >= rules.successes_to_close.max(1) {
            self.stand(BreakerState::Closed, None, showing.now);
            return Some("probes succeeded".to_owned());
        }
        let reason = (from == BreakerState::Open).then(|| "a probe succeeded".to_owned());
        if reason.is_some() {
            self.stand(BreakerState::HalfOpen, reason.clone(), showing.now);
        }
        self.successes = successes;
        reason
    }

    fn open(&mut self, rules: &BreakerRules, now: Timestamp, reason: String) {
        let since = (self.breaker.state == BreakerState::Open).then_some(self.breaker.since).flatten();
        self.stand(BreakerState::Open, Some(reason), since.unwrap_or(now));
        self.breaker.probe_at = Some(now.after(rules.open_for));
    }

    /// Puts it in a state, and forgets what it was judged by.
    pub(super) fn stand(&mut self, state: BreakerState, reason: Option<String>, since: Timestamp) {
        *self = Self { breaker: Breaker { state, reason, since: Some(since), probe_at: None }, ..Self::default() };
    }
}
