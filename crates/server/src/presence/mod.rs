//! The endpoints of presence.

pub(crate) mod events;
pub(crate) mod heartbeat;
pub(crate) mod list;
pub(crate) mod read;
pub(crate) mod register;
pub(crate) mod unregister;
