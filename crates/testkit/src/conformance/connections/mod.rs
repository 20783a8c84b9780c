//! The promises of [`ConnectionStore`](mainstay_core::events::ConnectionStore).

pub mod holding;
pub mod relaying;
mod switchboard;

use super::{Bed, Case, run_all};

/// Every case, by file.
pub const FILES: &[&[Case]] = &[holding::CASES, relaying::CASES];

/// Puts a store to the test, every case in turn.
///
/// # Panics
/// Where any promise is broken, naming each.
pub async fn run(bed: &Bed) {
    run_all("connections", FILES, bed).await;
}
