//! The promises of [`ProviderStore`](mainstay_core::providers::ProviderStore).

pub mod changing;
pub mod checking;
pub mod choosing;
mod house;
pub mod judging;

use super::{Bed, Case, run_all};

/// Every case, by file.
pub const FILES: &[&[Case]] = &[changing::CASES, checking::CASES, choosing::CASES, judging::CASES];

/// Puts a store to the test, every case in turn.
///
/// # Panics
/// Where any promise is broken, naming each.
pub async fn run(bed: &Bed) {
    run_all("providers", FILES, bed).await;
}
