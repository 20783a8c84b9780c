//! Refusals in the trail, on every surface: enough of them to see an attack, too few for one to fill it.

use super::Origin;
use super::audited::refusal_of;
use crate::Services;
use mainstay_core::Caller;
use mainstay_core::api::Code;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Refusals recorded in one window.
const MAX_IN_WINDOW: u32 = 60;
/// The length of a window.
const WINDOW: Duration = Duration::from_secs(60);

/// What bounds the refusals that this node records. Anybody can be refused as often as they like; strangers have a bound
/// of their own, so that nobody with a credential can hide them.
#[derive(Default)]
pub(crate) struct Refusals {
    /// Of those without a valid credential.
    pub strangers: Bound,
    /// Of callers.
    pub callers: Bound,
}

impl Services {
    /// Counts and records that an access was refused. The refusal stands, whether it could be recorded or not.
    pub(crate) async fn refused(&self, caller: Option<&Caller>, origin: &Origin, code: Code) {
        self.metrics.refused(code);
        let bound = if caller.is_some() { &self.refusals.callers } else { &self.refusals.strangers };
        let Some(unrecorded) = bound.admit() else { return };
        let mut record = refusal_of(caller, "access.refused", origin);
        record.status = Some(code.entry().http);
        record.code = Some(code);
        if unrecorded > 0 {
            record.reason = Some(format!("{unrecorded} refusals before this one were not recorded one by one"));
        }
        if let Err(error) = self.audit.record(record).await {
            tracing::error!(%error, internal = error.internal, "a refused access could not be recorded");
        }
    }
}

/// Counts refusals of one kind.
pub(crate) struct Bound(Mutex<Window>);

struct Window {
    since: Instant,
    recorded: u32,
    unrecorded: u64,
}

impl Default for Bound {
    fn default() -> Self {
        Self(Mutex::new(Window { since: Instant::now(), recorded: 0, unrecorded: 0 }))
    }
}

impl Bound {
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
        let refusals = Bound::default();
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
