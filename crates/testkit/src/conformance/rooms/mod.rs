//! The promises of [`RoomStore`](mainstay_core::events::RoomStore).

pub mod ending;
mod house;
pub mod membership;
pub mod occupancy;

use super::{Bed, Case, run_all};

/// Every case, by file.
pub const FILES: &[&[Case]] = &[ending::CASES, membership::CASES, occupancy::CASES];

/// Puts a store to the test, every case in turn.
///
/// # Panics
/// Where any promise is broken, naming each.
pub async fn run(bed: &Bed) {
    run_all("rooms", FILES, bed).await;
}
