//! The rules of a pool, as steps on what a store keeps of it. A store that can run Rust within its atomic step loads a [`Pool`], takes
//! a step and writes back what changed; another one says the same in its own language, and is compared with this.

mod changing;
mod checking;
mod choosing;
mod judging;
mod standing;

pub use changing::Changed;
pub use judging::Judged;

use super::choosing::NoneFree;
use super::records::{Breaker, Counters, Health, PoolRecord, ProviderRecord, ProviderSettings};
use mainstay_api::providers::{LeaseId, ProviderId};
use mainstay_api::{RawJson, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Failures of an upstream that are remembered at most, to judge its circuit by.
pub const MAX_MARKS: usize = 100;

/// All that a store keeps of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// See [`PoolRecord::revision`].
    pub revision: u64,
    /// See [`PoolRecord::settings`].
    pub settings: RawJson,
    /// The number of the last choice.
    pub sequence: u64,
    /// The position of the last choice.
    pub cursor: u64,
    /// How far the provider had come that was chosen by weight last.
    pub turn: u64,
    /// The providers, by position.
    pub providers: Vec<Member>,
    /// Uses, by their id.
    pub uses: BTreeMap<LeaseId, Use>,
}

/// A provider in a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Which.
    pub id: ProviderId,
    /// Its place in the order of the pool.
    pub position: u64,
    /// Its settings, which few steps change.
    pub settings: Arc<ProviderSettings>,
    /// Its health.
    pub health: Health,
    /// What was counted.
    pub counters: Counters,
    /// Its circuit.
    pub circuit: Circuit,
    /// How far it has come where choices go by weight.
    pub pass: u64,
    /// The use that is to show whether it has recovered.
    pub trial: Option<LeaseId>,
    /// When a node last took a check of it.
    pub claimed_at: Option<Timestamp>,
    /// The version of its credential.
    pub credential: Option<u64>,
}

/// A use of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Of which.
    pub provider: ProviderId,
    /// Whether it was let through to see.
    pub probe: bool,
    /// When it is over where nobody renews it.
    pub ends_at: Timestamp,
}

/// A circuit breaker with what it is judged by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Circuit {
    /// How it stands.
    pub breaker: Breaker,
    /// Failures within the window: when, and which node saw it.
    pub marks: Vec<(Timestamp, String)>,
    /// Since when answers are measured.
    pub measured_since: Option<Timestamp>,
    /// Answers by part of the window.
    pub answers: Vec<Answers>,
    /// Successes in a row where it is not closed.
    pub successes: u32,
    /// Requests that came by where it is half-open.
    pub asked: u64,
}

/// Answers within one twelfth of the window of slowness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answers {
    /// Which twelfth: its beginning in milliseconds, divided by its length.
    pub part: i64,
    /// How many there were.
    pub total: u32,
    /// How many of them were slow.
    pub slow: u32,
}

impl Pool {
    /// A new, empty pool.
    #[must_use]
    pub fn new() -> Self {
        Self {
            revision: 0,
            settings: RawJson::empty_object(),
            sequence: 0,
            cursor: 0,
            turn: 0,
            providers: Vec::new(),
            uses: BTreeMap::new(),
        }
    }

    /// The pool that readers saw so. What they do not see begins anew: who uses it, and what circuits are judged by.
    #[must_use]
    pub fn of(record: PoolRecord) -> Self {
        let sequence = record.providers.iter().map(|provider| provider.counters.sequence).max().unwrap_or(0);
        let member = |(position, provider): (u64, ProviderRecord)| Member {
            id: provider.id,
            position,
            settings: provider.settings.into(),
            health: provider.health,
            counters: provider.counters,
            circuit: Circuit { breaker: provider.breaker, ..Circuit::default() },
            pass: 0,
            trial: None,
            claimed_at: None,
            credential: provider.credential,
        };
        let providers = (1..).zip(record.providers).map(member).collect();
        Self { revision: record.revision, settings: record.settings, sequence, providers, ..Self::new() }
    }

    /// What readers see of it.
    #[must_use]
    pub fn record(&self, now: Timestamp) -> PoolRecord {
        PoolRecord {
            revision: self.revision,
            settings: self.settings.clone(),
            providers: self.providers.iter().map(|member| self.view(member, now)).collect(),
        }
    }

    /// What readers see of one provider.
    #[must_use]
    pub fn provider(&self, id: &ProviderId, now: Timestamp) -> Option<ProviderRecord> {
        self.find(id).map(|member| self.view(member, now))
    }

    /// A provider.
    #[must_use]
    pub fn find(&self, id: &ProviderId) -> Option<&Member> {
        self.providers.iter().find(|member| member.id == *id)
    }

    fn find_mut(&mut self, id: &ProviderId) -> Option<&mut Member> {
        self.providers.iter_mut().find(|member| member.id == *id)
    }

    fn view(&self, member: &Member, now: Timestamp) -> ProviderRecord {
        let uses = self.uses.values().filter(|taken| taken.provider == member.id && taken.ends_at > now).count();
        ProviderRecord {
            id: member.id.clone(),
            settings: ProviderSettings::clone(&member.settings),
            health: member.health.clone(),
            counters: member.counters.clone(),
            breaker: member.circuit.breaker.clone(),
            in_flight: u32::try_from(uses).unwrap_or(u32::MAX),
            credential: member.credential,
        }
    }

    /// Ends a use. Absent where it is over.
    fn end(&mut self, lease: &LeaseId) -> Option<Use> {
        let ended = self.uses.remove(lease)?;
        if let Some(member) = self.find_mut(&ended.provider)
            && member.trial.as_ref() == Some(lease)
        {
            member.trial = None;
        }
        Some(ended)
    }

    /// Ends the uses whose time is over.
    fn shed(&mut self, now: Timestamp) {
        let over: Vec<LeaseId> =
            self.uses.iter().filter(|(_, taken)| taken.ends_at <= now).map(|(lease, _)| lease.clone()).collect();
        for lease in over {
            self.end(&lease);
        }
    }
}

impl Default for Pool {
    fn default() -> Self {
        Self::new()
    }
}

impl NoneFree {
    /// Remembers the earliest of the moments after now.
    fn retry(&mut self, at: Option<Timestamp>, now: Timestamp) {
        let Some(at) = at.filter(|at| *at > now) else { return };
        self.retry_at = Some(self.retry_at.map_or(at, |known| known.min(at)));
    }
}
