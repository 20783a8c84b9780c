//! Live streams that outlive their connections.

mod connection;
mod inbox;
mod presence;

pub use inbox::{InboxEvent, InboxEvents};
pub use presence::{PresenceChange, PresenceChanges};
