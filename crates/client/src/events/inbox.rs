//! An inbox, live.

use super::follow::{Events, Follow, parse, unknown};
use crate::Result;
use crate::call::{Call, path};
use eventsource_stream::Event;
use mainstay_api::mail::{Gap, Message, ReadInbox, Start};
use mainstay_api::{Position, Problem};

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

/// A live inbox: messages in the order of arrival, none skipped.
pub type InboxEvents = Events<InboxEvent>;

pub(crate) struct FollowInbox {
    read: ReadInbox,
    /// Whether read messages are to be passed over: a connection that resumes at a position, before all that was
    /// unread has come, is sent those as well.
    unread_until_ready: bool,
}

impl FollowInbox {
    pub(crate) fn new(read: ReadInbox) -> Self {
        let unread_until_ready = read.after == Start::Unread;
        Self { read, unread_until_ready }
    }
}

impl Follow for FollowInbox {
    type Told = InboxEvent;

    fn request(&self) -> Result<Call> {
        Call::get(path(&["v1", "mail", "inbox", "events"])).query(&self.read)
    }

    fn interrupted(problem: Box<Problem>) -> InboxEvent {
        InboxEvent::Interrupted(problem)
    }

    fn take(&mut self, event: &Event) -> Result<Option<InboxEvent>> {
        let told = match event.event.as_str() {
            "message" => {
                let message: Message = parse(event)?;
                self.read.after = Start::After(message.position.clone());
                let is_read = message.receipt.as_ref().is_some_and(|receipt| receipt.read_at.is_some());
                if self.unread_until_ready && is_read {
                    return Ok(None);
                }
                InboxEvent::Message(Box::new(message))
            }
            "gap" => InboxEvent::Gap(parse::<GapEvent>(event)?.gap),
            "ready" => {
                let position = parse::<ReadyEvent>(event)?.position;
                self.read.after = Start::After(position.clone());
                self.unread_until_ready = false;
                InboxEvent::Ready(position)
            }
            _ => return unknown(event),
        };
        Ok(Some(told))
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
