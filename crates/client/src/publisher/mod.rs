//! Publishing events from an application: over the HTTP bridge of the founding system, to a stream, or as a [`Router`]
//! decides, room by room, while the application runs.
//!
//! An event keeps its id on every way. What goes both ways, or goes over the bridge because a stream did not answer in
//! time, is seen once by clients.

mod bridge;
mod counts;
mod environment;
mod router;
mod streams;

pub use bridge::BridgeTransport;
pub use counts::{DualWrites, Fallbacks, RouterCounts, TransportCounts};
pub use environment::{BridgeEnvironment, Environment, InvalidEnvironment};
pub use router::{Following, Router};
pub use streams::StreamTransport;

use crate::Result;
use futures::future::BoxFuture;
use mainstay_api::events::{EventPosition, PublishEvent, StreamName};

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Where it stands, where the transport says so.
    pub position: Option<EventPosition>,
    /// Whether it had been taken before.
    pub duplicate: bool,
}

/// A way for events.
pub trait EventTransport: Send + Sync {
    /// Sends an event, which has an id. Sending it twice is sending it once, within the window of its id.
    fn send<'a>(&'a self, stream: &'a StreamName, event: &'a PublishEvent) -> BoxFuture<'a, Result<Sent>>;
}
