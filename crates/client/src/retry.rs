//! When to repeat a call.

use crate::ClientError;
use std::time::Duration;
use tokio::time::Instant;

/// The first pause, in milliseconds.
const FIRST_PAUSE_MS: u64 = 50;
/// The longest pause, in milliseconds.
const LONGEST_PAUSE_MS: u64 = 5_000;
/// The longest pause that a server may ask for, in milliseconds.
const LONGEST_ASKED_MS: u64 = 120_000;

/// Growing pauses with jitter, so that clients which lost the same server do not come back all at once.
#[derive(Debug, Default)]
pub(crate) struct BackOff {
    failures: u32,
}

impl BackOff {
    /// The pause before the next attempt.
    pub(crate) fn next(&mut self, asked_ms: Option<u64>) -> Duration {
        let ceiling_ms = FIRST_PAUSE_MS.saturating_mul(1 << self.failures.min(10)).min(LONGEST_PAUSE_MS);
        self.failures = self.failures.saturating_add(1);
        let pause_ms = ceiling_ms / 2 + jitter_below(ceiling_ms / 2 + 1);
        Duration::from_millis(pause_ms.max(asked_ms.unwrap_or(0).min(LONGEST_ASKED_MS)))
    }

    /// Begins anew after a success.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

/// The attempts of one call, within its time.
pub(crate) struct Attempts {
    until: Instant,
    back_off: BackOff,
}

impl Attempts {
    pub(crate) fn within(retry_for_ms: u64) -> Self {
        Self { until: Instant::now() + Duration::from_millis(retry_for_ms), back_off: BackOff::default() }
    }

    /// The pause before a repetition; `None` where the error is final, or no time is left.
    pub(crate) fn pause_after(&mut self, error: &ClientError) -> Option<Duration> {
        if !error.is_retryable() {
            return None;
        }
        let pause = self.back_off.next(error.retry_after_ms());
        (Instant::now() + pause < self.until).then_some(pause)
    }
}

fn jitter_below(bound_ms: u64) -> u64 {
    // Without random numbers from the system there is no jitter, which is no reason to fail a call.
    getrandom::u64().unwrap_or(0) % bound_ms.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mainstay_api::{Code, Problem};

    #[test]
    fn pauses_grow_to_a_bound_and_respect_what_the_server_asks() {
        let mut back_off = BackOff::default();
        let first = back_off.next(None);
        assert!(first <= Duration::from_millis(FIRST_PAUSE_MS), "{first:?}");
        for _ in 0..100 {
            assert!(back_off.next(None) <= Duration::from_millis(LONGEST_PAUSE_MS));
        }
        assert!(back_off.next(None) >= Duration::from_millis(LONGEST_PAUSE_MS / 2));
        assert!(back_off.next(Some(9_000)) >= Duration::from_secs(9));
        assert!(back_off.next(Some(u64::MAX)) <= Duration::from_millis(LONGEST_ASKED_MS));
    }

    #[tokio::test]
    async fn a_final_error_is_not_repeated() {
        let problem = |code| ClientError::Problem(Box::new(Problem::new(code, "", "")));
        let mut attempts = Attempts::within(60_000);
        assert!(attempts.pause_after(&problem(Code::MailNotFound)).is_none());
        assert!(attempts.pause_after(&problem(Code::StoreBusy)).is_some());
        assert!(Attempts::within(0).pause_after(&problem(Code::StoreBusy)).is_none());
    }
}
