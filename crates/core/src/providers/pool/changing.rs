//! Changing who is in a pool, and settings.

use super::{Circuit, Member, Pool};
use crate::clock::next_revision;
use crate::providers::port::{ChangePool, PatchProvider, PoolChange, PoolOutcome, ReplacePool, SeededProvider};
use crate::providers::records::ProviderSettings;
use crate::text::hex;
use mainstay_api::Timestamp;
use mainstay_api::providers::ProviderId;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// What is left of a pool after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// What is answered.
    pub outcome: PoolOutcome,
    /// The pool; absent where there is none any more, or none yet.
    pub pool: Option<Pool>,
}

impl ChangePool {
    /// What tells a repetition of a change from another change.
    #[must_use]
    pub fn digest(&self) -> String {
        hex(&Sha256::digest(format!("{self:?}"))[..16])
    }

    /// Makes the change.
    #[must_use]
    pub fn apply(&self, pool: Option<Pool>) -> Changed {
        let current = pool.as_ref().map_or(0, |pool| pool.revision);
        if self.expected.is_some_and(|expected| expected != current) {
            return Changed { outcome: PoolOutcome::Conflict { current }, pool };
        }
        let revision = next_revision(current, self.now);
        match &self.change {
            PoolChange::Drop if pool.is_some() => Changed { outcome: PoolOutcome::Changed(revision), pool: None },
            PoolChange::Remove(_) | PoolChange::Patch(_) | PoolChange::Drop if pool.is_none() => {
                Changed { outcome: PoolOutcome::NotFound, pool }
            }
            _ => {
                let before = pool.clone();
                let mut changed = pool.unwrap_or_default();
                match self.change_in(&mut changed, revision) {
                    PoolOutcome::Changed(revision) => {
                        changed.revision = revision;
                        Changed { outcome: PoolOutcome::Changed(revision), pool: Some(changed) }
                    }
                    outcome => Changed { outcome, pool: before },
                }
            }
        }
    }

    fn change_in(&self, pool: &mut Pool, revision: u64) -> PoolOutcome {
        let changed = PoolOutcome::Changed(revision);
        match &self.change {
            PoolChange::Replace(replace) if replace.providers.len() > self.max_providers as usize => PoolOutcome::Full,
            PoolChange::Replace(replace) => {
                pool.replace(replace, revision, self.now);
                changed
            }
            PoolChange::Settings(settings) => {
                pool.settings = settings.clone();
                changed
            }
            PoolChange::Add(seeded) => self.add(pool, seeded, revision),
            PoolChange::Patch(patch) => pool.patch(patch, revision, self.now),
            PoolChange::Remove(id) if pool.find(id).is_none() => PoolOutcome::NotFound,
            PoolChange::Remove(id) => {
                pool.remove(id);
                changed
            }
            PoolChange::Drop => PoolOutcome::NotFound,
        }
    }

    fn add(&self, pool: &mut Pool, seeded: &SeededProvider, revision: u64) -> PoolOutcome {
        if let Some(member) = pool.find(&seeded.id) {
            let same = seeded.is_as(&member.settings);
            return if same { PoolOutcome::Changed(pool.revision) } else { PoolOutcome::Exists };
        }
        if pool.providers.len() >= self.max_providers as usize {
            return PoolOutcome::Full;
        }
        let position = pool.providers.last().map_or(1, |last| last.position + 1);
        pool.providers.push(seeded.enter(None, Entry { position, revision, now: self.now }));
        PoolOutcome::Changed(revision)
    }
}

/// Where and when a provider enters.
#[derive(Clone, Copy)]
struct Entry {
    position: u64,
    revision: u64,
    now: Timestamp,
}

impl Pool {
    fn replace(&mut self, replace: &ReplacePool, revision: u64, now: Timestamp) {
        self.settings = replace.settings.clone();
        let mut before = std::mem::take(&mut self.providers);
        for (position, seeded) in (1..).zip(&replace.providers) {
            let known = before.iter().position(|member| member.id == seeded.id).map(|place| before.swap_remove(place));
            self.providers.push(seeded.enter(known, Entry { position, revision, now }));
        }
        for gone in before {
            self.uses.retain(|_, taken| taken.provider != gone.id);
        }
    }

    fn patch(&mut self, patch: &PatchProvider, revision: u64, now: Timestamp) -> PoolOutcome {
        let Some(member) = self.find_mut(&patch.id) else { return PoolOutcome::NotFound };
        let current = member.settings.version;
        if patch.expected.is_some_and(|expected| expected != current) {
            return PoolOutcome::Conflict { current };
        }
        member.settings = Arc::new(ProviderSettings {
            body: patch.body.clone(),
            traits: patch.traits.clone(),
            seal_key: patch.seal_key.clone(),
            version: revision,
            updated_at: now,
        });
        PoolOutcome::Changed(revision)
    }

    fn remove(&mut self, id: &ProviderId) {
        self.providers.retain(|member| member.id != *id);
        self.uses.retain(|_, taken| taken.provider != *id);
    }
}

impl SeededProvider {
    fn is_as(&self, settings: &ProviderSettings) -> bool {
        self.body == settings.body && self.traits == settings.traits && self.seal_key == settings.seal_key
    }

    /// The provider as it is in the pool from now on; what was known of it stays.
    fn enter(&self, known: Option<Member>, entry: Entry) -> Member {
        let mut member = known.unwrap_or_else(|| Member {
            id: self.id.clone(),
            position: entry.position,
            settings: self.settings(entry),
            health: super::Health::default(),
            counters: super::Counters::default(),
            circuit: Circuit::default(),
            pass: 0,
            trial: None,
            claimed_at: None,
            credential: None,
        });
        if !self.is_as(&member.settings) {
            member.settings = self.settings(entry);
        }
        member.position = entry.position;
        if let Some(health) = &self.health {
            member.health = health.clone();
        }
        if let Some(counters) = &self.counters {
            member.counters = counters.clone();
        }
        member
    }

    fn settings(&self, entry: Entry) -> Arc<ProviderSettings> {
        Arc::new(ProviderSettings {
            body: self.body.clone(),
            traits: self.traits.clone(),
            seal_key: self.seal_key.clone(),
            version: entry.revision,
            updated_at: entry.now,
        })
    }
}
