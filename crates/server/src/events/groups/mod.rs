//! The endpoints of consumer groups.

pub(crate) mod create;
pub(crate) mod list;
pub(crate) mod remove;
