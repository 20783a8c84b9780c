//! The promises of [`KeyStore`](mainstay_core::providers::keys::KeyStore).

pub mod admitting;
mod desk;
pub mod records;
pub mod using;

use super::{Bed, Case, run_all};

/// Every case, by file.
pub const FILES: &[&[Case]] = &[admitting::CASES, records::CASES, using::CASES];

/// Puts a store to the test, every case in turn.
///
/// # Panics
/// Where any promise is broken, naming each.
pub async fn run(bed: &Bed) {
    run_all("gateway_keys", FILES, bed).await;
}
