//! Presence, live.

use super::connection::{Connection, Next};
use super::inbox::parse;
use crate::call::{Call, path};
use crate::{Client, Result};
use futures::stream::{BoxStream, Stream, StreamExt, unfold};
use mainstay_api::Problem;
use mainstay_api::presence::PresenceEvent;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What happens to the presence of a namespace.
#[derive(Debug, Clone)]
pub enum PresenceChange {
    /// An instance came, changed or left. After an interruption, those that are there come again.
    Event(Box<PresenceEvent>),
    /// Everyone who was there has been named; what follows is new.
    Ready,
    /// The stream is interrupted. It resumes by itself.
    Interrupted(Box<Problem>),
}

/// Live presence. Survives lost connections and restarts of the server.
pub struct PresenceChanges(BoxStream<'static, Result<PresenceChange>>);

impl PresenceChanges {
    pub(crate) fn new(client: Client) -> Self {
        let changes = unfold(Some(Connection::new(client)), |connection| async move {
            let mut connection = connection?;
            match next(&mut connection).await {
                Ok(change) => Some((Ok(change), Some(connection))),
                Err(error) => Some((Err(error), None)),
            }
        });
        Self(changes.boxed())
    }
}

impl Stream for PresenceChanges {
    type Item = Result<PresenceChange>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(context)
    }
}

async fn next(connection: &mut Connection) -> Result<PresenceChange> {
    let request = (!connection.is_open()).then(|| Call::get(path(&["v1", "presence", "events"])));
    let event = match connection.next(request).await {
        Next::Event(event) => event,
        Next::Lost(error) => return Ok(PresenceChange::Interrupted(Box::new(error.problem()))),
        Next::Refused(error) => return Err(error),
    };
    if event.event == "ready" {
        return Ok(PresenceChange::Ready);
    }
    Ok(PresenceChange::Event(Box::new(parse(&event.data)?)))
}
