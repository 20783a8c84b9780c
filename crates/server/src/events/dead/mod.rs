//! The endpoints of events that a group gave up on.

pub(crate) mod forget;
pub(crate) mod list;
pub(crate) mod revive;
