//! How long deliveries took: over the whole run, and second by second.

use hdrhistogram::Histogram;
use serde::Serialize;
use std::sync::{Mutex, PoisonError};

/// Longest time that is told from a longer one, in microseconds: ten minutes.
const MAX_US: u64 = 10 * 60 * 1_000_000;
/// Digits that are right: a thousandth of each time.
const DIGITS: u8 = 3;
/// The shares below which the plot says how long deliveries took.
const SHARES: [f64; 17] =
    [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9995, 0.9999];

/// Times of many listeners. They share it.
pub(super) struct Meter(Mutex<Inner>);

struct Inner {
    all: Histogram<u64>,
    second: Histogram<u64>,
    current: u64,
    seconds: Vec<Second>,
}

/// Times in milliseconds, each with the share that took no longer.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct Percentiles {
    pub count: u64,
    pub mean: f64,
    pub p50: f64,
    pub p90: f64,
    pub p95: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

/// What came in within a second.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Second {
    /// Which second of the run, from 0.
    pub second: u64,
    pub deliveries: u64,
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
}

/// How long a share of the deliveries took at most.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Share {
    pub share: f64,
    pub ms: f64,
}

impl Meter {
    pub(super) fn new() -> Self {
        let inner = Inner { all: histogram(), second: histogram(), current: 0, seconds: Vec::new() };
        Self(Mutex::new(inner))
    }

    /// Records a time that ended at a moment of the run, both in microseconds.
    pub(super) fn record(&self, took_us: u64, at_us: u64) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let second = at_us / 1_000_000;
        if second > inner.current {
            inner.turn(second);
        }
        inner.all.saturating_record(took_us);
        inner.second.saturating_record(took_us);
    }

    pub(super) fn percentiles(&self) -> Percentiles {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = &inner.all;
        let at = |share: f64| millis(all.value_at_quantile(share));
        Percentiles {
            count: all.len(),
            mean: (all.mean() / 1_000.0 * 1_000.0).round() / 1_000.0,
            p50: at(0.5),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            p999: at(0.999),
            max: millis(all.max()),
        }
    }

    /// The shares of the whole, as far as there are deliveries enough to tell them apart.
    pub(super) fn shares(&self) -> Vec<Share> {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        #[expect(clippy::cast_precision_loss, reason = "a share of a count")]
        let told = |share: &f64| (1.0 - share) * inner.all.len() as f64 >= 1.0;
        let shares = SHARES.into_iter().filter(told);
        let mut shares: Vec<Share> =
            shares.map(|share| Share { share, ms: millis(inner.all.value_at_quantile(share)) }).collect();
        shares.push(Share { share: 1.0, ms: millis(inner.all.max()) });
        shares
    }

    /// The seconds in which something came in.
    pub(super) fn seconds(&self) -> Vec<Second> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = inner.current + 1;
        inner.turn(next);
        inner.seconds.clone()
    }
}

impl Inner {
    fn turn(&mut self, next: u64) {
        let second = &self.second;
        if !second.is_empty() {
            self.seconds.push(Second {
                second: self.current,
                deliveries: second.len(),
                p50: millis(second.value_at_quantile(0.5)),
                p99: millis(second.value_at_quantile(0.99)),
                max: millis(second.max()),
            });
        }
        self.second.reset();
        self.current = next;
    }
}

fn histogram() -> Histogram<u64> {
    // The bounds are constants that it takes; the smallest time is a microsecond.
    Histogram::new_with_bounds(1, MAX_US, DIGITS).unwrap_or_else(|_| unreachable!("the bounds are in order"))
}

fn millis(us: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "at most ten minutes")]
    let ms = us as f64 / 1_000.0;
    ms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_all_and_seconds_of_each() {
        let meter = Meter::new();
        (1..=100).for_each(|ms| meter.record(ms * 1_000, ms * 20_000));
        let all = meter.percentiles();
        assert_eq!(all.count, 100);
        assert!(
            (all.p50 - 50.0).abs() < 0.1 && (all.p99 - 99.0).abs() < 0.1 && (all.max - 100.0).abs() < 0.1,
            "{all:?}"
        );
        let seconds = meter.seconds();
        assert_eq!(
            seconds.iter().map(|second| (second.second, second.deliveries)).collect::<Vec<_>>(),
            [(0, 49), (1, 50), (2, 1)]
        );
        assert!((seconds[1].p50 - 74.0).abs() < 1.0, "{seconds:?}");
    }

    #[test]
    fn a_share_is_told_only_where_there_are_deliveries_enough() {
        let meter = Meter::new();
        (1..=100).for_each(|ms| meter.record(ms * 1_000, 0));
        let shares: Vec<f64> = meter.shares().into_iter().map(|share| share.share).collect();
        assert!(shares.contains(&0.99) && !shares.contains(&0.995) && shares.ends_with(&[1.0]), "{shares:?}");
    }
}
