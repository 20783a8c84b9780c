//! The promises of [`GroupStore`](mainstay_core::events::GroupStore), and what those of
//! [`EventStore`](mainstay_core::events::EventStore) say of groups.

mod crew;
pub mod dying;
pub mod holding;
pub mod standing;
pub mod taking;
pub mod trimming;

use super::{Bed, Case, run_all};

/// Every case, by file.
pub const FILES: &[&[Case]] = &[dying::CASES, holding::CASES, standing::CASES, taking::CASES, trimming::CASES];

/// Puts a store to the test, every case in turn.
///
/// # Panics
/// Where any promise is broken, naming each.
pub async fn run(bed: &Bed) {
    run_all("groups", FILES, bed).await;
}
