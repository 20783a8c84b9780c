//! The promises of [`CredentialStore`](mainstay_core::providers::credentials::CredentialStore).

mod desk;
pub mod leases;
pub mod records;

use super::{Bed, Case, run_all};

/// Every case, by file.
pub const FILES: &[&[Case]] = &[leases::CASES, records::CASES];

/// Puts a store to the test, every case in turn.
///
/// # Panics
/// Where any promise is broken, naming each.
pub async fn run(bed: &Bed) {
    run_all("credentials", FILES, bed).await;
}
