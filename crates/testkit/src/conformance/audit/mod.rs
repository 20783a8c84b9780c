//! The promises of [`AuditStore`](mainstay_core::audit::AuditStore).

pub mod appending;
pub mod reading;
mod trail;
pub mod trimming;

use super::{Bed, Case, run_all};

/// Every case, by file.
pub const FILES: &[&[Case]] = &[appending::CASES, reading::CASES, trimming::CASES];

/// Puts a store to the test, every case in turn.
///
/// # Panics
/// Where any promise is broken, naming each.
pub async fn run(bed: &Bed) {
    run_all("audit", FILES, bed).await;
}
