//! Uses of providers that this node has: kept from ending by themselves while they last, and ended together.
//!
//! *Invariant:* a use is ended once, whatever becomes of the request; where the store does not hear of it, it ends by
//! itself there.

mod ending;

pub(crate) use ending::Ended;
use ending::Waiting;

use mainstay_core::api::Timestamp;
use mainstay_core::api::providers::{LeaseId, ProviderId};
use mainstay_core::providers::{Finish, Outcome, PoolName, ProviderStore, Renew, SelectionRules, Transition};
use mainstay_core::{Clock, Result};
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_util::task::TaskTracker;

/// Most uses that one call of the store renews or ends.
const MAX_TOGETHER: usize = 500;
/// A use is renewed for as long as its client took something within this time: who never reads holds no provider.
const CLIENT_IDLE: Duration = Duration::from_secs(5 * 60);

/// Is told of circuits that changed.
pub type OnTransition = Arc<dyn Fn(&PoolName, &Transition, Timestamp) + Send + Sync>;

/// What seats need.
pub(crate) struct SeatParts {
    pub store: Arc<dyn ProviderStore>,
    pub clock: Arc<dyn Clock>,
    pub node: String,
    /// How long a use lasts where nobody renews it.
    pub lease_for: Duration,
    pub on_transition: OnTransition,
    pub tasks: TaskTracker,
}

/// The uses of this node.
pub(crate) struct Seats {
    parts: SeatParts,
    pools: Mutex<HashMap<PoolName, Arc<Pool>>>,
}

/// The uses of one pool.
struct Pool {
    name: PoolName,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    held: HashMap<LeaseId, Arc<Progress>>,
    over: Vec<Waiting>,
    rules: SelectionRules,
    /// Whether a task is telling the store.
    is_telling: bool,
}

/// When a client last took something, in milliseconds since 1970.
#[derive(Debug)]
pub(crate) struct Progress(AtomicI64);

impl Progress {
    fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.as_millis()))
    }

    pub fn made(&self, now: Timestamp) {
        self.0.store(now.as_millis(), Ordering::Relaxed);
    }

    fn since(&self, then: Timestamp) -> bool {
        self.0.load(Ordering::Relaxed) >= then.as_millis()
    }
}

/// A provider in use. What is dropped ends as one that says nothing of the provider: its client went away.
pub(crate) struct Seat {
    seats: Arc<Seats>,
    pool: Arc<Pool>,
    lease: LeaseId,
    pub provider: ProviderId,
    pub progress: Arc<Progress>,
    /// Whether something may have reached the provider.
    pub is_sent: bool,
    /// How long the first byte of the answer took.
    pub first_byte: Option<Duration>,
    is_over: bool,
}

impl Seats {
    pub fn new(parts: SeatParts) -> Self {
        Self { parts, pools: Mutex::default() }
    }

    /// How long a use lasts where nobody renews it.
    pub const fn lease_for(&self) -> Duration {
        self.parts.lease_for
    }

    /// Takes a seat that the store has given.
    pub fn take(self: &Arc<Self>, taken: Taken) -> Seat {
        let pool = self.pool(&taken.pool);
        let progress = Arc::new(Progress::at(self.parts.clock.now()));
        {
            let mut state = pool.state();
            state.rules = taken.rules;
            state.held.insert(taken.lease.clone(), Arc::clone(&progress));
        }
        Seat {
            seats: Arc::clone(self),
            pool,
            lease: taken.lease,
            provider: taken.provider,
            progress,
            is_sent: false,
            first_byte: None,
            is_over: false,
        }
    }

    /// How many uses there are.
    pub fn count(&self) -> usize {
        self.all().iter().map(|pool| pool.state().held.len()).sum()
    }

    /// Keeps the uses of this node from ending by themselves: one call for each pool.
    ///
    /// # Errors
    /// The last of the store. The other pools were renewed.
    pub async fn renew(&self) -> Result<()> {
        let mut outcome = Ok(());
        for pool in self.all() {
            let now = self.parts.clock.now();
            let leases = pool.alive(now.before(CLIENT_IDLE));
            for leases in leases.chunks(MAX_TOGETHER) {
                let renew =
                    Renew { pool: pool.name.clone(), leases: leases.to_vec(), lease_for: self.parts.lease_for, now };
                if let Err(error) = self.parts.store.renew(renew).await {
                    outcome = Err(error);
                }
            }
            self.forget_if_empty(&pool);
        }
        outcome
    }

    fn all(&self) -> Vec<Arc<Pool>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    fn pool(&self, name: &PoolName) -> Arc<Pool> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.get(name) {
            return Arc::clone(pool);
        }
        let pool = Arc::new(Pool { name: name.clone(), state: Mutex::default() });
        pools.insert(name.clone(), Arc::clone(&pool));
        pool
    }

    fn forget_if_empty(&self, pool: &Arc<Pool>) {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        // Two count where nobody has a seat there: the map and the caller.
        if Arc::strong_count(pool) == 2 && pool.state().is_empty() {
            pools.remove(&pool.name);
        }
    }
}

/// A choice of the store.
pub(crate) struct Taken {
    pub pool: PoolName,
    pub lease: LeaseId,
    pub provider: ProviderId,
    pub rules: SelectionRules,
}

impl Pool {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn alive(&self, since: Timestamp) -> Vec<LeaseId> {
        let state = self.state();
        state.held.iter().filter(|(_, progress)| progress.since(since)).map(|(lease, _)| lease.clone()).collect()
    }
}

impl State {
    fn is_empty(&self) -> bool {
        self.held.is_empty() && self.over.is_empty() && !self.is_telling
    }
}

impl Seat {
    /// Ends the use. Who has to know that the store has heard of it waits for what is answered.
    pub fn end(mut self, outcome: Outcome) -> Ended {
        self.over(outcome)
    }

    fn over(&mut self, outcome: Outcome) -> Ended {
        self.is_over = true;
        let finish = Finish {
            lease: self.lease.clone(),
            provider: self.provider.clone(),
            node: self.seats.parts.node.clone(),
            outcome,
            first_byte: self.first_byte,
        };
        let (waiting, ended) = ending::pair(finish);
        let begins = {
            let mut state = self.pool.state();
            state.held.remove(&self.lease);
            state.over.push(waiting);
            !std::mem::replace(&mut state.is_telling, true)
        };
        if begins {
            let (seats, pool) = (Arc::clone(&self.seats), Arc::clone(&self.pool));
            self.seats.parts.tasks.spawn(async move { seats.tell(&pool).await });
        }
        ended
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if !self.is_over {
            let outcome = if self.is_sent { Outcome::Neutral } else { Outcome::Unsent };
            drop(self.over(outcome));
        }
    }
}
