//! An inbox, live.

use super::connection::{Connection, Next};
use crate::call::{Call, path};
use crate::{Client, ClientError, Result};
use futures::stream::{BoxStream, Stream, StreamExt, unfold};
use mainstay_api::mail::{Gap, Message, ReadInbox, Start};
use mainstay_api::{Position, Problem};
use std::pin::Pin;
use std::task::{Context, Poll};

/// What happens in an inbox.
#[derive(Debug, Clone)]
pub enum InboxEvent {
    /// A message.
    Message(Box<Message>),
    /// Messages between the last position and the next message are gone.
    Gap(Gap),
    /// Everything there was has been delivered; what follows is new.
    Ready(Position),
    /// The stream is interrupted. It resumes by itself, where it broke.
    Interrupted(Box<Problem>),
}

/// A live inbox: messages in the order of arrival, none skipped. The stream survives lost connections and restarts
/// of the server: it connects again and reads from the last message it delivered. It ends only with an error that
/// no repetition can mend, or one of the first connection.
pub struct InboxEvents(BoxStream<'static, Result<InboxEvent>>);

impl InboxEvents {
    pub(crate) fn new(client: Client, read: ReadInbox) -> Self {
        let unread_until_ready = read.after == Start::Unread;
        let follow = Follow { connection: Connection::new(client), read, unread_until_ready };
        let events = unfold(Some(follow), |follow| async move {
            let mut follow = follow?;
            match follow.next().await {
                Ok(event) => Some((Ok(event), Some(follow))),
                Err(error) => Some((Err(error), None)),
            }
        });
        Self(events.boxed())
    }
}

impl Stream for InboxEvents {
    type Item = Result<InboxEvent>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(context)
    }
}

struct Follow {
    connection: Connection,
    read: ReadInbox,
    /// Whether read messages are to be passed over: a connection that resumes at a position, before all that was
    /// unread has come, is sent those as well.
    unread_until_ready: bool,
}

impl Follow {
    async fn next(&mut self) -> Result<InboxEvent> {
        loop {
            let request = match self.connection.is_open() {
                true => None,
                false => Some(Call::get(path(&["v1", "mail", "inbox", "events"])).query(&self.read)?),
            };
            let event = match self.connection.next(request).await {
                Next::Event(event) => event,
                Next::Lost(error) => return Ok(InboxEvent::Interrupted(Box::new(error.problem()))),
                Next::Refused(error) => return Err(error),
            };
            match event.event.as_str() {
                "message" => {
                    let message: Message = parse(&event.data)?;
                    self.read.after = Start::After(message.position.clone());
                    let is_read = message.receipt.as_ref().is_some_and(|receipt| receipt.read_at.is_some());
                    if self.unread_until_ready && is_read {
                        continue;
                    }
                    return Ok(InboxEvent::Message(Box::new(message)));
                }
                "gap" => return Ok(InboxEvent::Gap(parse::<GapEvent>(&event.data)?.gap)),
                "ready" => {
                    let position = parse::<ReadyEvent>(&event.data)?.position;
                    self.read.after = Start::After(position.clone());
                    self.unread_until_ready = false;
                    return Ok(InboxEvent::Ready(position));
                }
                // A newer server may say more; what is not understood is not acted on.
                other => tracing::debug!(event = other, "unknown event passed over"),
            }
        }
    }
}

#[derive(serde::Deserialize)]
struct GapEvent {
    gap: Gap,
}

#[derive(serde::Deserialize)]
struct ReadyEvent {
    position: Position,
}

pub(super) fn parse<T: serde::de::DeserializeOwned>(data: &str) -> Result<T> {
    serde_json::from_str(data).map_err(|cause| ClientError::Protocol { detail: cause.to_string(), status: 200 })
}
