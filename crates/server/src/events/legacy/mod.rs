//! How streams stand, at the addresses and in the shapes of the founding system.

pub(crate) mod consumer_lag;
pub(crate) mod health;
pub(crate) mod streams;

/// A number as those shapes have it.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
