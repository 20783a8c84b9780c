//! The promises of [`TransportStore`](mainstay_core::events::TransportStore).

pub mod choosing;

use super::{Bed, Case, run_all};

/// Every case, by file.
pub const FILES: &[&[Case]] = &[choosing::CASES];

/// Puts a store to the test, every case in turn.
///
/// # Panics
/// Where any promise is broken, naming each.
pub async fn run(bed: &Bed) {
    run_all("transport", FILES, bed).await;
}
