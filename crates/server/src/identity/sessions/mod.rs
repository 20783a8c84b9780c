//! The endpoints of one's own sessions.

pub(crate) mod end;
pub(crate) mod end_all;
pub(crate) mod list;
