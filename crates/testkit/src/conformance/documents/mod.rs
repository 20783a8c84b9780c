//! The promises of [`DocumentStore`](mainstay_core::documents::DocumentStore).

pub(super) mod desk;
pub mod ending;
pub mod following;
pub mod reading;
pub mod remembering;
pub mod sealing;
pub mod transacting;

use super::{Bed, Case, run_all};

/// Every case, by file.
pub const FILES: &[&[Case]] =
    &[ending::CASES, following::CASES, reading::CASES, remembering::CASES, sealing::CASES, transacting::CASES];

/// Puts a store to the test, every case in turn.
///
/// # Panics
/// Where any promise is broken, naming each.
pub async fn run(bed: &Bed) {
    run_all("documents", FILES, bed).await;
}
