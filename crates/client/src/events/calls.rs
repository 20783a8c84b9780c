//! Calls about events.

use crate::call::{Call, path};
use crate::{Client, Result};
use http::Method;
use mainstay_api::events::{
    ChangeTransport, ConsumerLag, EventPage, EventsHealth, GroupList, LiveNode, PublishEvents, PublishedEvents,
    ReadEvents, StreamList, StreamName, TransportChoice,
};
use mainstay_api::ids::RequestId;

/// Calls about events, see [`Client::events`].
pub struct EventsClient<'a>(pub(crate) &'a Client);

impl EventsClient<'_> {
    /// Publishes events. Each is stored when this returns. With a request id, or with ids of the events, a repetition
    /// publishes nothing twice; one is made where there is none, so that retries are harmless.
    ///
    /// # Errors
    /// `events.stream_unknown`, `events.backlog`.
    pub async fn publish(
        &self,
        stream: &StreamName,
        publish: &PublishEvents,
        request_id: Option<RequestId>,
    ) -> Result<PublishedEvents> {
        let path = path(&["v1", "events", stream.as_str()]);
        self.0.call(Call::write(Method::POST, path, request_id)?.json(publish)?).await
    }

    /// Reads events behind a position, oldest first.
    ///
    /// # Errors
    /// `events.stream_unknown`, `events.room_forbidden`.
    pub async fn read(&self, stream: &StreamName, read: &ReadEvents) -> Result<EventPage> {
        self.0.call(Call::get(path(&["v1", "events", stream.as_str()])).query(read)?).await
    }

    /// The streams, and what each holds in the namespace.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn streams(&self) -> Result<StreamList> {
        self.0.call(Call::get(path(&["v1", "events", "streams"]))).await
    }

    /// The consumer groups of a stream, and how each stands.
    ///
    /// # Errors
    /// `events.stream_unknown`.
    pub async fn groups(&self, stream: &StreamName) -> Result<GroupList> {
        self.0.call(Call::get(path(&["v1", "events", stream.as_str(), "groups"]))).await
    }

    /// How far the consumer groups of the namespace are behind.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn consumer_lag(&self) -> Result<ConsumerLag> {
        self.0.call(Call::get(path(&["v1", "events", "consumer-lag"]))).await
    }

    /// How the streams of the namespace stand.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn health(&self) -> Result<EventsHealth> {
        self.0.call(Call::get(path(&["v1", "events", "health"]))).await
    }

    /// What the node that answers does for live clients.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn node(&self) -> Result<LiveNode> {
        self.0.call(Call::get(path(&["v1", "events", "node"]))).await
    }

    /// How the publishers of the namespace send events.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn transport(&self) -> Result<TransportChoice> {
        self.0.call(Call::get(path(&["v1", "events", "transport"]))).await
    }

    /// Changes that.
    ///
    /// # Errors
    /// `events.transport_conflict` where another version was expected.
    pub async fn set_transport(&self, change: &ChangeTransport) -> Result<TransportChoice> {
        let path = path(&["v1", "events", "transport"]);
        self.0.call(Call::write(Method::PUT, path, None)?.json(change)?).await
    }
}
