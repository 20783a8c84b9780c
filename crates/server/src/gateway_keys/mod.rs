//! The endpoints of gateway keys, and of what was used.

pub(crate) mod change;
pub(crate) mod create;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod read;
pub(crate) mod remove;
pub(crate) mod usage;
