//! Streams as a way for events.

use super::{EventTransport, Sent};
use crate::{Client, ClientError, Result};
use futures::FutureExt;
use futures::future::BoxFuture;
use mainstay_api::events::{PublishEvent, PublishEvents, StreamName};

/// Publishes to the streams of a server, or of a store in this process.
pub struct StreamTransport(Client);

impl StreamTransport {
    /// Streams over a client.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self(client)
    }
}

impl EventTransport for StreamTransport {
    fn send<'a>(&'a self, stream: &'a StreamName, event: &'a PublishEvent) -> BoxFuture<'a, Result<Sent>> {
        async move {
            let publish = PublishEvents { events: vec![event.clone()] };
            let published = self.0.events().publish(stream, &publish, None).await?;
            let one = published.events.into_iter().next();
            let one = one.ok_or_else(|| ClientError::Protocol { detail: "it names no event".into(), status: 200 })?;
            Ok(Sent { position: Some(one.position), duplicate: one.duplicate })
        }
        .boxed()
    }
}
