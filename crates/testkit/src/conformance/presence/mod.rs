//! The promises of [`PresenceStore`](mainstay_core::presence::PresenceStore).

pub mod ending;
pub mod living;
mod roll;

use super::{Bed, Case, run_all};

/// Every case, by file.
pub const FILES: &[&[Case]] = &[ending::CASES, living::CASES];

/// Puts a store to the test, every case in turn.
///
/// # Panics
/// Where any promise is broken, naming each.
pub async fn run(bed: &Bed) {
    run_all("presence", FILES, bed).await;
}
