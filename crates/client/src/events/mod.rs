//! Calls about events, and live streams that outlive their connections.

mod calls;
mod connection;
mod conversation;
mod follow;
mod inbox;
mod presence;
mod socket;

pub use calls::EventsClient;
pub(crate) use conversation::FollowConversation;
pub use conversation::{ConversationEvent, ConversationEvents};
pub use follow::Events;
pub(crate) use follow::Follow;
pub(crate) use inbox::FollowInbox;
pub use inbox::{InboxEvent, InboxEvents};
pub(crate) use presence::FollowPresence;
pub use presence::{PresenceChange, PresenceChanges};
pub use socket::{LiveSocket, SocketEnd};
