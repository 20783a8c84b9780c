//! Whether the store is there, as far as settings and pools go.

use mainstay_api::Timestamp;
use std::sync::{Mutex, PoisonError};

/// What is done at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// The store answers, and nothing waits.
    Connected,
    /// The store does not answer: reads come from copies, writes go to the journal.
    Away {
        /// Since when.
        since: Timestamp,
    },
    /// The store is back. What waits is written to it; until then reads and writes go on as while it was away.
    Replaying {
        /// Since when the store was away.
        since: Timestamp,
    },
    /// The store is back and is not the one that was lost. Nothing is written to it until somebody says so.
    Halted {
        /// Since when the store was away.
        since: Timestamp,
        /// What is wrong with it.
        reason: String,
    },
}

impl Phase {
    /// Since when answers come from copies; absent where they come from the store.
    #[must_use]
    pub fn since(&self) -> Option<Timestamp> {
        match self {
            Self::Connected => None,
            Self::Away { since } | Self::Replaying { since } | Self::Halted { since, .. } => Some(*since),
        }
    }
}

/// How it stands, and how it came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stood {
    /// What is done at the moment.
    pub phase: Phase,
    /// How often the store went away.
    pub outages: u64,
    /// Writes that were brought to the store after an outage.
    pub replayed: u64,
    /// Writes that the store did not take after an outage.
    pub refused: u64,
}

/// How it stands, for everybody in the process.
#[derive(Debug)]
pub struct Standing(Mutex<Stood>);

impl Default for Standing {
    fn default() -> Self {
        Self(Mutex::new(Stood { phase: Phase::Connected, outages: 0, replayed: 0, refused: 0 }))
    }
}

impl Standing {
    /// How it stands.
    #[must_use]
    pub fn stood(&self) -> Stood {
        self.lock().clone()
    }

    /// Whether reads and writes go to the store.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.lock().phase == Phase::Connected
    }

    /// Notes that the store did not answer. True where it was there until now.
    pub fn lost(&self, now: Timestamp) -> bool {
        let mut stood = self.lock();
        match stood.phase {
            Phase::Connected => {
                stood.phase = Phase::Away { since: now };
                stood.outages += 1;
                true
            }
            Phase::Replaying { since } | Phase::Halted { since, .. } => {
                stood.phase = Phase::Away { since };
                false
            }
            Phase::Away { .. } => false,
        }
    }

    /// Notes that what waits is being written.
    pub(super) fn replaying(&self, now: Timestamp) {
        let mut stood = self.lock();
        let since = stood.phase.since().unwrap_or(now);
        stood.phase = Phase::Replaying { since };
    }

    /// Notes that the store is not the one that was lost. True where that was not known.
    pub(super) fn halted(&self, reason: &str, now: Timestamp) -> bool {
        let mut stood = self.lock();
        let since = stood.phase.since().unwrap_or(now);
        let phase = Phase::Halted { since, reason: reason.to_owned() };
        let is_new = stood.phase != phase;
        stood.phase = phase;
        is_new
    }

    /// Notes that the store answers and that nothing waits. True where that was not so.
    pub(super) fn connected(&self) -> bool {
        std::mem::replace(&mut self.lock().phase, Phase::Connected) != Phase::Connected
    }

    /// Counts what became of a write that had waited.
    pub(super) fn settled(&self, applied: bool) {
        let mut stood = self.lock();
        match applied {
            true => stood.replayed += 1,
            false => stood.refused += 1,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Stood> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
