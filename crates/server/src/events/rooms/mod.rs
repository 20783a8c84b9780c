//! The endpoints of rooms.

pub(crate) mod admit;
pub(crate) mod dismiss;
pub(crate) mod members;
pub(crate) mod present;
