//! How many refusals of strangers are recorded: enough to see an attack, too few for one to fill the trail.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Refusals recorded in one window.
const MAX_IN_WINDOW: u32 = 60;
/// The length of a window.
const WINDOW: Duration = Duration::from_secs(60);

/// Counts the refusals of strangers on this node.
pub(crate) struct Refusals(Mutex<Window>);

struct Window {
    since: Instant,
    recorded: u32,
    unrecorded: u64,
}

impl Default for Refusals {
    fn default() -> Self {
        Self(Mutex::new(Window { since: Instant::now(), recorded: 0, unrecorded: 0 }))
    }
}

impl Refusals {
    /// Whether one more is to be recorded; with how many before it were not.
    pub fn admit(&self) -> Option<u64> {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if window.since.elapsed() >= WINDOW {
            window.since = Instant::now();
            window.recorded = 0;
        }
        if window.recorded >= MAX_IN_WINDOW {
            window.unrecorded += 1;
            return None;
        }
        window.recorded += 1;
        Some(std::mem::take(&mut window.unrecorded))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_refusals_is_counted_and_not_recorded_one_by_one() {
        let refusals = Refusals::default();
        for _ in 0..MAX_IN_WINDOW {
            assert_eq!(refusals.admit(), Some(0));
        }
        for _ in 0..5 {
            assert_eq!(refusals.admit(), None);
        }
        refusals.0.lock().unwrap().since = Instant::now().checked_sub(WINDOW).unwrap();
        assert_eq!(refusals.admit(), Some(5));
        assert_eq!(refusals.admit(), Some(0));
    }
}
