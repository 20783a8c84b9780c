//! Active checks: a provider whose settings ask for it is sent one small request now and then, whether or not anybody else
//! asks it anything.
//!
//! *Invariant:* over all nodes one check of a provider is made in its time: who makes it has claimed it in the store.
//!
//! *Invariant:* nothing is sent where no check is asked for, and nothing to whom is to be left alone.

mod asking;
mod plan;

pub use plan::CheckPlan;
pub(crate) use plan::read;

use crate::serving::{Gateway, Observed};
use crate::upstream::Target;
use asking::Shown;
use futures::StreamExt;
use futures::stream;
use mainstay_core::Result;
use mainstay_core::api::Timestamp;
use mainstay_core::api::providers::ProviderId;
use mainstay_core::providers::{
    CheckClaim, Checked, ClaimCheck, FailureClass, Outcome, PoolName, SelectionRules, all_pools,
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Checks that a node makes at a time.
const AT_ONCE: usize = 8;
/// What is added to the time between two checks at most, so that nodes do not all ask at once: a tenth of it.
const JITTER_PART: u32 = 10;

/// What became of a check, for whoever counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CheckResult {
    /// It was answered.
    Healthy,
    /// It was answered, and the answer says nothing of the provider: the check itself may be wrong.
    Unclear,
    /// It failed.
    Failed(FailureClass),
    /// Nothing was sent, for a reason on this side.
    Unsent,
}

/// What a round of checks came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checks {
    /// Providers that answered.
    pub healthy: u32,
    /// Providers that failed.
    pub failed: u32,
    /// Checks that showed nothing.
    pub unclear: u32,
}

/// When this node asks for its turn again, by provider.
#[derive(Default)]
pub(crate) struct Schedule(Mutex<HashMap<(PoolName, ProviderId), Timestamp>>);

/// A provider that is to be checked.
#[derive(Clone)]
struct Due {
    pool: PoolName,
    provider: ProviderId,
    target: Arc<Target>,
    check: CheckPlan,
    rules: SelectionRules,
}

impl Gateway {
    /// Makes the checks that are due by now and that no other node makes. The first look at a provider is at once.
    ///
    /// # Errors
    /// Those of the store where pools cannot be listed. A check that cannot be told to the store is logged.
    pub async fn check_due(&self) -> Result<Checks> {
        let due = self.due().await?;
        let made = stream::iter(due).map(|due| self.check(due)).buffer_unordered(AT_ONCE);
        let count = |mut checks: Checks, made: Option<CheckResult>| {
            match made {
                Some(CheckResult::Healthy) => checks.healthy += 1,
                Some(CheckResult::Failed(_)) => checks.failed += 1,
                Some(CheckResult::Unclear | CheckResult::Unsent) => checks.unclear += 1,
                None => {}
            }
            std::future::ready(checks)
        };
        Ok(made.fold(Checks::default(), count).await)
    }

    /// Providers that this node is to ask for its turn with by now. What is no longer checked is forgotten.
    async fn due(&self) -> Result<Vec<Due>> {
        let now = self.parts.clock.now();
        let mut known = HashMap::new();
        let mut due = Vec::new();
        for pool in all_pools(self.parts.store.as_ref()).await? {
            let Some(plan) = self.parts.book.pool(&pool, None).await? else { continue };
            for (provider, settings) in plan.providers.iter().filter(|(_, settings)| !settings.disabled) {
                let (Some(check), Ok(target)) = (&settings.check, &settings.target) else { continue };
                let (target, check, rules) = (Arc::clone(target), check.clone(), plan.rules);
                let next = self.schedule.next(&pool, provider).unwrap_or(now);
                known.insert((pool.clone(), provider.clone()), next);
                if next <= now {
                    due.push(Due { pool: pool.clone(), provider: provider.clone(), target, check, rules });
                }
            }
        }
        self.schedule.replace(known);
        Ok(due)
    }

    /// Makes one check where it is this node's turn.
    async fn check(&self, due: Due) -> Option<CheckResult> {
        let (pool, provider) = (&due.pool.pool, &due.provider);
        let result = match self.turn(&due).await {
            Ok(false) => return None,
            Ok(true) => self.made(&due).await,
            Err(error) => Err(error),
        };
        match result {
            Ok(result) => {
                self.parts.observer.observe(&Observed::Checked(pool, result));
                Some(result)
            }
            Err(error) => {
                tracing::warn!(%pool, %provider, %error, internal = error.internal, "a provider was not checked");
                None
            }
        }
    }

    /// Whether it is this node's turn; notes when to ask again.
    async fn turn(&self, due: &Due) -> Result<bool> {
        let (every, now) = (due.check.every, self.parts.clock.now());
        let claim = ClaimCheck { pool: due.pool.clone(), provider: due.provider.clone(), every, now };
        let claimed = self.parts.store.claim_check(claim).await?;
        let jitter = every / JITTER_PART * u32::from(self.parts.mint.secret()[0]) / 255;
        let next = match claimed {
            CheckClaim::Granted => now.after(every),
            // Somebody may let it be checked earlier than it asked for.
            CheckClaim::NotBefore(at) => at.min(now.after(every)),
            CheckClaim::NotFound => return Ok(false),
        };
        self.schedule.put(due, next.after(jitter));
        Ok(claimed == CheckClaim::Granted)
    }

    async fn made(&self, due: &Due) -> Result<CheckResult> {
        let Shown { outcome, result } = self.asked_of(due).await?;
        let (pool, provider) = (&due.pool.pool, &due.provider);
        if let Outcome::Failed(failure) = &outcome {
            tracing::info!(%pool, %provider, class = ?failure.class, why = failure.message, "a check of a provider failed");
        }
        let checked = Checked {
            pool: due.pool.clone(),
            provider: due.provider.clone(),
            node: self.parts.node.clone(),
            model: due.check.model.clone(),
            outcome,
            rules: due.rules,
            now: self.parts.clock.now(),
        };
        let at = checked.now;
        let told = self.parts.store.checked(checked).await?;
        for changed in &told.transitions {
            self.parts.observer.observe(&Observed::Circuit(&due.pool, changed, at));
        }
        Ok(result)
    }
}

impl Schedule {
    fn next(&self, pool: &PoolName, provider: &ProviderId) -> Option<Timestamp> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&(pool.clone(), provider.clone())).copied()
    }

    fn put(&self, due: &Due, next: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert((due.pool.clone(), due.provider.clone()), next);
    }

    fn replace(&self, known: HashMap<(PoolName, ProviderId), Timestamp>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }
}
