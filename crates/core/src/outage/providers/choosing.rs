//! Choosing on the copy, for this node alone.

use super::{OutlastingProviders, Used};
use crate::error::{Error, Result};
use crate::outage::{Held, journal_full};
use crate::providers::{Choice, Choose, Finish, FinishUses, Finished, Outcome, Renew};
use std::sync::atomic::Ordering;

impl OutlastingProviders {
    /// Chooses on the copy. Where it is not known whether the store has chosen before it was lost, a request may be counted
    /// once more than it was made, and never less.
    pub(super) fn choose_here(&self, choose: &Choose) -> Result<Choice> {
        if self.is_full.load(Ordering::Relaxed) {
            return Err(journal_full(&Held::default()));
        }
        let choice = self.copied(&choose.pool, |copy| {
            let Some(copy) = copy else { return (Choice::NoPool, false) };
            let session = choose.sticky.as_ref().and_then(|sticky| copy.sessions.get(&sticky.key));
            let remembered = session.filter(|(_, until)| *until > choose.now).map(|(id, _)| id.clone());
            let is_repeated = copy.pool.uses.contains_key(&choose.lease);
            let choice = copy.pool.choose(choose, remembered.as_ref());
            if let (Some(sticky), Choice::Chosen(chosen)) = (&choose.sticky, &choice) {
                copy.sessions.retain(|_, (_, until)| *until > choose.now);
                copy.sessions.insert(sticky.key.clone(), (chosen.provider.clone(), choose.now.after(sticky.ttl)));
            }
            (choice, is_repeated)
        });
        let Some((choice, is_repeated)) = choice else { return Err(self.not_copied()) };
        if let (Choice::Chosen(chosen), false) = (&choice, is_repeated) {
            let mut state = self.lock();
            let used = Used {
                pool: choose.pool.clone(),
                provider: chosen.provider.clone(),
                ends_at: choose.now.after(choose.lease_for),
            };
            state.uses.insert(choose.lease.clone(), used);
            let counts = state.counts(&choose.pool, &chosen.provider);
            counts.requests += 1;
            counts.used_at = Some(choose.now);
        }
        Ok(choice)
    }

    /// Parts uses into those that this node gave, and the others.
    pub(super) fn part(&self, uses: Vec<Finish>) -> (Vec<Finish>, Vec<Finish>) {
        let state = self.lock();
        uses.into_iter().partition(|ended| state.uses.contains_key(&ended.lease))
    }

    /// Ends uses that this node gave: what they showed is judged on the copy, and counted.
    pub(super) fn finish_here(&self, finish: &FinishUses) -> Finished {
        let mut state = self.lock();
        let judged = state.pools.get_mut(&finish.pool).map(|copy| copy.pool.finish(finish)).unwrap_or_default();
        let mut applied = 0;
        for ended in &finish.uses {
            let Some(used) = state.uses.remove(&ended.lease) else { continue };
            applied += 1;
            let counts = state.counts(&used.pool, &used.provider);
            match ended.outcome {
                Outcome::Failed(_) => {
                    counts.errors += 1;
                    counts.failed_at = Some(finish.now);
                }
                Outcome::Unsent => counts.requests -= 1,
                Outcome::Success | Outcome::Neutral => {}
            }
        }
        Finished { applied, ..judged.finished }
    }

    /// Renews uses that this node gave; answers the others.
    pub(super) fn renew_here(&self, renew: &Renew) -> Renew {
        let mut state = self.lock();
        let ends_at = renew.now.after(renew.lease_for);
        let mut others = Vec::new();
        for lease in &renew.leases {
            match state.uses.get_mut(lease) {
                Some(used) => used.ends_at = ends_at,
                None => others.push(lease.clone()),
            }
        }
        if let Some(copy) = state.pools.get_mut(&renew.pool) {
            copy.pool.renew(renew);
        }
        Renew { leases: others, ..renew.clone() }
    }

    pub(super) fn not_copied(&self) -> Error {
        self.parts.outage.away()
    }
}
