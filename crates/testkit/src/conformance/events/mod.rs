//! The promises of [`EventStore`](mainstay_core::events::EventStore).

pub(super) mod feed;
pub mod publishing;
pub mod reading;
pub mod waiting;

use super::{Bed, Case, run_all};

/// Every case, by file.
pub const FILES: &[&[Case]] = &[publishing::CASES, reading::CASES, waiting::CASES];

/// Puts a store to the test, every case in turn.
///
/// # Panics
/// Where any promise is broken, naming each.
pub async fn run(bed: &Bed) {
    run_all("events", FILES, bed).await;
}
