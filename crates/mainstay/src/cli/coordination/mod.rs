//! Commands that bring mail in and out, and prove that it is all there.

pub mod export;
pub mod import;
pub mod mirror;
pub mod parity;
mod report;
