//! Streams of what the server tells of one thing, over connections that come and go.

use super::connection::{Connection, Next};
use crate::call::Call;
use crate::{Client, ClientError, Result};
use eventsource_stream::Event as ServerEvent;
use futures::stream::{BoxStream, Stream, StreamExt, unfold};
use mainstay_api::Problem;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A live stream. It survives lost connections and restarts of the server: it connects again and goes on where it was. It
/// ends only with an error that no repetition can mend, or one of the first connection.
pub struct Events<T>(BoxStream<'static, Result<T>>);

impl<T> Stream for Events<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(context)
    }
}

/// Where a reader is in what it follows.
pub(crate) trait Follow: Sized + Send + 'static {
    /// What the reader is told.
    type Told: Send;

    /// The request that opens a connection from there.
    fn request(&self) -> Result<Call>;

    /// How an interruption is told.
    fn interrupted(problem: Box<Problem>) -> Self::Told;

    /// Takes in one event of the server; `None` where there is nothing to tell.
    fn take(&mut self, event: &ServerEvent) -> Result<Option<Self::Told>>;

    /// The stream.
    fn events(self, client: Client) -> Events<Self::Told> {
        let following = Following { connection: Connection::new(client), place: self };
        let events = unfold(Some(following), |following| async move {
            let mut following = following?;
            match following.next().await {
                Ok(told) => Some((Ok(told), Some(following))),
                Err(error) => Some((Err(error), None)),
            }
        });
        Events(events.boxed())
    }
}

struct Following<F> {
    connection: Connection,
    place: F,
}

impl<F: Follow> Following<F> {
    async fn next(&mut self) -> Result<F::Told> {
        loop {
            let request = match self.connection.is_open() {
                true => None,
                false => Some(self.place.request()?),
            };
            let event = match self.connection.next(request).await {
                Next::Event(event) => event,
                Next::Lost(error) => return Ok(F::interrupted(Box::new(error.problem()))),
                Next::Refused(error) => return Err(error),
            };
            if let Some(told) = self.place.take(&event)? {
                return Ok(told);
            }
        }
    }
}

/// The document of an event.
pub(super) fn parse<T: serde::de::DeserializeOwned>(event: &ServerEvent) -> Result<T> {
    serde_json::from_str(&event.data).map_err(|cause| ClientError::Protocol { detail: cause.to_string(), status: 200 })
}

/// Passes over an event that is not known. A newer server may say more; what is not understood is not acted on.
pub(super) fn unknown<T>(event: &ServerEvent) -> Result<Option<T>> {
    tracing::debug!(event = event.event, "unknown event passed over");
    Ok(None)
}
