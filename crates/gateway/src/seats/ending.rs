//! Telling the store of uses that are over: while one call is under way, the next ones gather.

use super::{MAX_TOGETHER, Pool, Seats};
use crate::insist::insist;
use mainstay_core::providers::{Finish, FinishUses};
use tokio::sync::oneshot;

/// Most uses that wait to be told of; what is beyond ends by itself.
const MAX_WAITING: usize = 20_000;

/// A use that is over, and who waits until the store knows.
pub(super) struct Waiting {
    finish: Finish,
    told: oneshot::Sender<()>,
}

/// The store is being told that a use is over.
pub(crate) struct Ended(oneshot::Receiver<()>);

impl Ended {
    /// Waits until the store has been told, or cannot be.
    pub async fn told(self) {
        let _told_or_given_up = self.0.await;
    }
}

pub(super) fn pair(finish: Finish) -> (Waiting, Ended) {
    let (told, waits) = oneshot::channel();
    (Waiting { finish, told }, Ended(waits))
}

impl Seats {
    /// Tells the store until nothing is left to tell.
    pub(super) async fn tell(&self, pool: &Pool) {
        loop {
            let (together, rules) = {
                let mut state = pool.state();
                if state.over.len() > MAX_WAITING {
                    let beyond = state.over.len() - MAX_WAITING;
                    state.over.drain(..beyond);
                    tracing::error!(pool = %pool.name.pool, uses = beyond, "uses end by themselves: the store is away");
                }
                let count = state.over.len().min(MAX_TOGETHER);
                if count == 0 {
                    state.is_telling = false;
                    return;
                }
                (state.over.drain(..count).collect::<Vec<_>>(), state.rules)
            };
            let (uses, told): (Vec<_>, Vec<_>) =
                together.into_iter().map(|waiting| (waiting.finish, waiting.told)).unzip();
            let finish = FinishUses { pool: pool.name.clone(), uses, rules, now: self.parts.clock.now() };
            self.tell_these(finish).await;
            for told in told {
                let _nobody_may_wait = told.send(());
            }
        }
    }

    /// To end a use twice is to end it once, which is what insisting needs.
    async fn tell_these(&self, finish: FinishUses) {
        let told = insist("the store is told again of ended uses", || self.parts.store.finish(finish.clone())).await;
        match told {
            Ok(finished) => {
                for changed in &finished.transitions {
                    (self.parts.on_transition)(&finish.pool, changed, finish.now);
                }
            }
            Err(error) => {
                let uses = finish.uses.len();
                tracing::error!(pool = %finish.pool.pool, uses, %error, "the store was not told of ended uses");
            }
        }
    }
}
