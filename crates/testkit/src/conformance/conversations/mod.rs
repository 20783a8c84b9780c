//! The promises of [`ConversationStore`](mainstay_core::conversations::ConversationStore).

pub mod appending;
pub mod concurrent;
pub mod erasing;
pub mod forking;
pub mod isolation;
pub mod lifetimes;
pub mod listing;
pub mod remembering;
mod talk;
pub mod turns;

use super::{Bed, Case, run_all};

/// Every case, by file.
pub const FILES: &[&[Case]] = &[
    appending::CASES,
    concurrent::CASES,
    erasing::CASES,
    forking::CASES,
    isolation::CASES,
    lifetimes::CASES,
    listing::CASES,
    remembering::CASES,
    turns::CASES,
];

/// Puts a store to the test, every case in turn.
///
/// # Panics
/// Where any promise is broken, naming each.
pub async fn run(bed: &Bed) {
    run_all("conversations", FILES, bed).await;
}
