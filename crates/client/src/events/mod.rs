//! Live streams that outlive their connections.

mod connection;
mod conversation;
mod inbox;
mod presence;

pub use conversation::{ConversationEvent, ConversationEvents};
pub use inbox::{InboxEvent, InboxEvents};
pub use presence::{PresenceChange, PresenceChanges};
