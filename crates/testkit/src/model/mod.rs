//! The reference model: every port of a store in the simplest way that is right, in the memory of one process.
//!
//! It is the oracle of the conformance cases and of the random sequences: vectors and linear scans, one lock, one
//! step per operation. Nothing in it is fast, and nothing in it has to be.
//!
//! Where the documentation of the ports leaves room, the model decides, and the other stores follow:
//!
//! - A thing that ends at a moment (a message, a remembered request id) is gone at that moment, not after it.
//! - An append asks in this order: the request id, the message id, the inboxes, the namespace. Only an append that
//!   stored a message is remembered under its request id, within its namespace.
//! - *Oldest* means the smallest offset, in an inbox and in a namespace; no case asks for more than that what is older
//!   both by offset and by time goes first. An inbox is trimmed after a delivery, so a
//!   message that waits for nothing may leave at once an inbox that is full of pending ones; room in the namespace is
//!   made before the message is stored, among its oldest 256 messages.
//! - A message waits for an acknowledgement while it asks for one, is not settled, and not every recipient has given
//!   it; a broadcast that has reached nobody yet waits too.
//! - Only [`join`](mainstay_core::mail::MailStore::join) makes a member. A member that is forgotten keeps its inbox.
//! - A delivery of a settled message is not unread: marking it as read passes it over.
//! - A merged acknowledgement without a time of reading was read when it was acknowledged.
//! - In presence a run holds a name where the registration carries its session. A registration without one is held
//!   by no run: any may beat for it, which does not make the name its own, and none that says who it is may end it.
//! - A lease that ends at a moment is over at that moment. Its fence is then worth nothing, even where nobody has taken
//!   the turn since.
//! - A deleted conversation takes along what is remembered of appends to it, but not that it was begun: a repetition of
//!   the call that began it does not begin it again.
//! - A connection that enters a room as another member leaves it as the earlier one. An admission that is over when it is given
//!   ends the earlier one all the same.
//! - An event that a group holds when it is trimmed is held until somebody comes upon it, and lost then. An acknowledgement
//!   of it counts.

mod audit;
mod connections;
mod conversations;
mod credentials;
mod documents;
mod events;
mod gateway_keys;
mod groups;
mod identity;
mod inbox;
mod logs;
mod mail;
mod merge;
mod presence;
mod providers;
mod reads;
mod rooms;
mod state;
mod transport;
mod wakeups;

use async_trait::async_trait;
use mainstay_core::{Result, StoreInfo, StoreProbe, Stores};
use std::sync::Arc;

/// A new, empty store in memory, shared with nobody.
#[must_use]
pub fn stores() -> Stores {
    let wakeups = Arc::new(wakeups::Wakeups::default());
    let logs = Arc::new(logs::Logs::default());
    Stores {
        info: StoreInfo {
            kind: "model",
            location: "the memory of this process".into(),
            durable: false,
            shared: false,
            warnings: Vec::new(),
        },
        probe: Arc::new(Probe),
        hints: wakeups.clone(),
        audit: Arc::new(audit::ModelAudit::default()),
        connections: Arc::new(connections::ModelConnections::new(wakeups.clone())),
        conversations: Arc::new(conversations::ModelConversations::new(wakeups.clone())),
        credentials: Arc::new(credentials::ModelCredentials::new(wakeups.clone())),
        documents: Arc::new(documents::ModelDocuments::new(wakeups.clone())),
        events: Arc::new(events::ModelEvents::new(logs.clone(), wakeups.clone())),
        groups: Arc::new(groups::ModelGroups::new(logs)),
        gateway_keys: Arc::new(gateway_keys::ModelKeys::default()),
        identity: Arc::new(identity::ModelIdentity::default()),
        mail: Arc::new(mail::ModelMail::new(wakeups.clone())),
        presence: Arc::new(presence::ModelPresence::new(wakeups.clone())),
        providers: Arc::new(providers::ModelProviders::new(wakeups.clone())),
        rooms: Arc::new(rooms::ModelRooms::new(wakeups.clone())),
        transport: Arc::new(transport::ModelTransport::new(wakeups)),
    }
}

/// A store in memory is there as long as the process is.
struct Probe;

#[async_trait]
impl StoreProbe for Probe {
    async fn ping(&self) -> Result<()> {
        Ok(())
    }

    async fn close(&self) {}
}
