//! The endpoints of mail.

pub(crate) mod ack;
pub(crate) mod counts;
pub(crate) mod events;
pub(crate) mod import;
pub(crate) mod inbox;
pub(crate) mod list;
pub(crate) mod mark_read;
pub(crate) mod read;
pub(crate) mod send;
pub(crate) mod stats;
pub(crate) mod types;
