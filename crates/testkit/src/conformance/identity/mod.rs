//! The promises of [`IdentityStore`](mainstay_core::identity::IdentityStore).

mod desk;
pub mod guessing;
pub mod keys;
pub mod sessions;
pub mod users;

use super::{Bed, Case, run_all};

/// Every case, by file.
pub const FILES: &[&[Case]] = &[guessing::CASES, keys::CASES, sessions::CASES, users::CASES];

/// Puts a store to the test, every case in turn.
///
/// # Panics
/// Where any promise is broken, naming each.
pub async fn run(bed: &Bed) {
    run_all("identity", FILES, bed).await;
}
