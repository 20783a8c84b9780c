//! Choosing.

use super::{Member, Pool, Use};
use crate::providers::choosing::{Choice, Choose, Chosen, NoneFree, Strategy};
use crate::providers::records::BreakerState;
use mainstay_api::Timestamp;
use mainstay_api::providers::ProviderId;
use std::collections::HashMap;

/// How long a check that found a provider healthy puts it before others.
const FRESH_MS: i64 = 120_000;
/// What a provider without a request counts as: last used so long ago.
const NEVER_USED_MS: i64 = 24 * 60 * 60 * 1_000;
/// What a check that found it healthy is worth in a score.
const FRESH_SCORE: f64 = -2e18;
/// How far a provider of weight 1 moves on with each choice.
const STRIDE: u64 = 1 << 20;
/// Behind every position of a pool.
const BEHIND_ALL: f64 = 1e12;

/// Whether a provider may be chosen.
enum May {
    Free { probe: bool },
    Disabled,
    Excepted,
    WithoutModel,
    Unhealthy(Option<Timestamp>),
    Full,
    Open(Option<Timestamp>),
}

/// The order of a provider among those that may be chosen: the lowest first, then the smaller id.
type Rank = [f64; 3];

impl Pool {
    /// Chooses. `remembered` is where the session of the request went before; where the choice went is for the store to remember.
    pub fn choose(&mut self, choose: &Choose, remembered: Option<&ProviderId>) -> Choice {
        self.shed(choose.now);
        if let Some(taken) = self.uses.get(&choose.lease) {
            let (provider, probe) = (taken.provider.clone(), taken.probe);
            return self.chosen(&provider, probe);
        }
        let mut in_flight: HashMap<ProviderId, u32> = HashMap::new();
        for taken in self.uses.values() {
            *in_flight.entry(taken.provider.clone()).or_default() += 1;
        }
        let mut none =
            NoneFree { providers: u32::try_from(self.providers.len()).unwrap_or(u32::MAX), ..NoneFree::default() };
        let mut best: Option<(bool, Rank, usize)> = None;
        let mut stuck = None;
        for place in 0..self.providers.len() {
            let load = in_flight.get(&self.providers[place].id).copied().unwrap_or(0);
            let May::Free { probe } = may(&mut self.providers[place], choose, load, &mut none) else { continue };
            let member = &self.providers[place];
            if remembered == Some(&member.id) {
                stuck = Some((probe, place));
            }
            let rank = self.rank(member, choose, load);
            let better = best.as_ref().is_none_or(|(first_probe, first, at)| {
                let (mine, theirs) = ((!probe, rank), (!*first_probe, *first));
                mine.partial_cmp(&theirs).is_some_and(|order| {
                    order.then_with(|| member.id.as_str().cmp(self.providers[*at].id.as_str())).is_lt()
                })
            });
            if better {
                best = Some((probe, rank, place));
            }
        }
        match stuck.or(best.map(|(probe, _, place)| (probe, place))) {
            Some((probe, place)) => self.take(choose, place, probe),
            None => Choice::NoneFree(none),
        }
    }

    fn take(&mut self, choose: &Choose, place: usize, probe: bool) -> Choice {
        self.sequence += 1;
        let (sequence, turn) = (self.sequence, self.turn);
        let member = &mut self.providers[place];
        member.counters.requests += 1;
        member.counters.used_at = Some(choose.now);
        member.counters.sequence = sequence;
        if choose.rules.strategy == Strategy::Weighted {
            let pass = member.pass.max(turn);
            member.pass = pass + STRIDE / u64::from(member.settings.traits.weight.max(1));
            self.turn = pass;
        }
        if probe && member.is_exclusive() {
            member.trial = Some(choose.lease.clone());
        }
        self.cursor = member.position;
        let provider = member.id.clone();
        let taken = Use { provider: provider.clone(), probe, ends_at: choose.now.after(choose.lease_for) };
        self.uses.insert(choose.lease.clone(), taken);
        self.chosen(&provider, probe)
    }

    fn chosen(&self, id: &ProviderId, probe: bool) -> Choice {
        let Some(member) = self.find(id) else { return Choice::NoPool };
        Choice::Chosen(Chosen {
            provider: id.clone(),
            settings: member.settings.version,
            credential: member.credential,
            revision: self.revision,
            probe,
        })
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "times and counts are below 2^53; another store compares doubles as well"
    )]
    fn rank(&self, member: &Member, choose: &Choose, load: u32) -> Rank {
        let (counters, traits) = (&member.counters, &member.settings.traits);
        let (sequence, used) = (counters.sequence as f64, counters.used_at.map_or(0, Timestamp::as_millis) as f64);
        match choose.rules.strategy {
            Strategy::Score if member.is_fresh(choose.now) => [FRESH_SCORE, 0.0, 0.0],
            Strategy::Score => {
                let used = counters.used_at.unwrap_or(Timestamp::from_millis(choose.now.as_millis() - NEVER_USED_MS));
                [used.as_millis() as f64 + counters.requests as f64 * 10_000.0 + sequence * 1_000.0, 0.0, 0.0]
            }
            Strategy::LeastUsed => [counters.requests as f64, sequence, used],
            Strategy::LeastRecentlyUsed => [sequence, used, 0.0],
            Strategy::RoundRobin if member.position > self.cursor => [member.position as f64, 0.0, 0.0],
            Strategy::RoundRobin => [member.position as f64 + BEHIND_ALL, 0.0, 0.0],
            Strategy::Weighted => [member.pass.max(self.turn) as f64, 0.0, 0.0],
            Strategy::LeastInFlight => [f64::from(load) / f64::from(traits.weight.max(1)), sequence, used],
            Strategy::Priority => [f64::from(traits.priority), sequence, used],
        }
    }
}

impl Member {
    /// Whether only one request at a time may see whether it has recovered.
    fn is_exclusive(&self) -> bool {
        self.health.unhealthy || self.circuit.breaker.state == BreakerState::Open
    }

    /// Whether a check found it healthy a moment ago, and it has had no request.
    fn is_fresh(&self, now: Timestamp) -> bool {
        let Some((checked, _)) = self.health.checked else { return false };
        let failed = self.health.last_failure.as_ref().map(|(at, _)| *at);
        self.counters.requests == 0
            && !self.health.unhealthy
            && now.as_millis() - checked.as_millis() < FRESH_MS
            && failed.is_none_or(|failed| failed < checked)
    }
}

/// Whether a provider may be chosen; counts the reason where it may not.
fn may(member: &mut Member, choose: &Choose, load: u32, none: &mut NoneFree) -> May {
    let verdict = look(member, choose, load);
    match &verdict {
        May::Free { .. } => {}
        May::Disabled => none.disabled += 1,
        May::Excepted => none.excepted += 1,
        May::WithoutModel => none.without_model += 1,
        May::Full => none.full += 1,
        May::Unhealthy(at) => {
            none.unhealthy += 1;
            none.retry(*at, choose.now);
        }
        May::Open(at) => {
            none.open += 1;
            none.retry(*at, choose.now);
        }
    }
    verdict
}

fn look(member: &mut Member, choose: &Choose, load: u32) -> May {
    let (traits, health, now) = (&member.settings.traits, &member.health, choose.now);
    if traits.disabled {
        return May::Disabled;
    }
    if choose.except.contains(&member.id) {
        return May::Excepted;
    }
    if choose.model.as_ref().is_some_and(|model| traits.excluded_models.contains(model)) {
        return May::WithoutModel;
    }
    let waits = health.retry_at.is_some_and(|at| at > now);
    let stays = health.unhealthy && (health.retry_at.is_none() || member.trial.is_some());
    if health.needs_refresh || waits || stays {
        return May::Unhealthy(health.retry_at.filter(|_| !health.needs_refresh));
    }
    if traits.max_in_flight > 0 && load >= traits.max_in_flight {
        return May::Full;
    }
    let unhealthy = health.unhealthy;
    let breaker = &member.circuit.breaker;
    match breaker.state {
        BreakerState::Closed => May::Free { probe: unhealthy },
        BreakerState::ForcedOpen => May::Open(None),
        BreakerState::Open if breaker.probe_at.is_none_or(|at| at > now) || member.trial.is_some() => {
            May::Open(breaker.probe_at)
        }
        BreakerState::Open => May::Free { probe: true },
        BreakerState::HalfOpen => {
            let through = member.circuit.asked.is_multiple_of(u64::from(choose.rules.breaker.sample.max(1)));
            member.circuit.asked += 1;
            if through { May::Free { probe: true } } else { May::Open(None) }
        }
    }
}
