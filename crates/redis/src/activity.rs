//! What this process has asked of Redis, for its operators.

use mainstay_core::{Clock, StoreActivity, SystemClock};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Counts commands, connections and failures.
#[derive(Default)]
pub(crate) struct Activity {
    commands: AtomicU64,
    failed: AtomicU64,
    /// All but the counters, which every command touches.
    last: Mutex<StoreActivity>,
}

impl Activity {
    /// Counts a command that is sent.
    pub fn sent(&self) {
        self.commands.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a command that failed.
    pub fn failed(&self, why: &str) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        self.not_connected(why);
    }

    /// Notes that there is no connection.
    pub fn not_connected(&self, why: &str) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.failed_at = Some(SystemClock.now());
        last.failure = Some(why.to_owned());
    }

    /// Notes a connection.
    pub fn connected(&self) {
        let now = Some(SystemClock.now());
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match last.first_connected_at {
            Some(_) => last.reconnects += 1,
            None => last.first_connected_at = now,
        }
        last.connected_at = now;
    }

    /// What was counted.
    pub fn told(&self, key_prefix: &str) -> StoreActivity {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        StoreActivity {
            commands: self.commands.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            key_prefix: Some(key_prefix.to_owned()),
            ..last
        }
    }
}
