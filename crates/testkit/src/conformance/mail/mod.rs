//! The promises of [`MailStore`](mainstay_core::mail::MailStore).

pub mod append;
pub mod bounds;
pub mod broadcasts;
pub mod concurrent;
pub(crate) mod desk;
pub mod expiry;
pub mod hostile;
pub mod listing;
pub mod merging;
pub mod numbers;
pub mod receipts;
pub mod tailing;
pub mod waking;

use super::{Bed, Case, run_all};

/// Every case, by file.
pub const FILES: &[&[Case]] = &[
    append::CASES,
    bounds::CASES,
    broadcasts::CASES,
    concurrent::CASES,
    expiry::CASES,
    hostile::CASES,
    listing::CASES,
    merging::CASES,
    numbers::CASES,
    receipts::CASES,
    tailing::CASES,
    waking::CASES,
];

/// Puts a store to the test, every case in turn.
///
/// # Panics
/// Where any promise is broken, naming each.
pub async fn run(bed: &Bed) {
    run_all("mail", FILES, bed).await;
}
