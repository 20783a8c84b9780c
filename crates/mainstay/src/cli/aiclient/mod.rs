//! Commands that bring the settings of the gateway that Mainstay replaces in and out, and make first ones.

pub mod export;
pub mod import;
pub mod init;
pub mod original;
mod report;
mod source;
