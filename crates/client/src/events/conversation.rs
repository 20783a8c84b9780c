//! A conversation, live.

use super::follow::{Events, Follow, parse, unknown};
use crate::Result;
use crate::call::Call;
use crate::conversations::of;
use eventsource_stream::Event;
use mainstay_api::conversations::Message;
use mainstay_api::{ConversationId, Problem};

/// What happens in a conversation.
#[derive(Debug, Clone)]
pub enum ConversationEvent {
    /// A message.
    Message(Box<Message>),
    /// It has another version, told after its new messages: there may also be another status, or the outcome of one.
    Changed {
        /// The version.
        version: u64,
    },
    /// The place to go on from is beyond the last message, as where the conversation was deleted and begun anew. What
    /// there is follows from the beginning.
    Gap,
    /// Everything there was has been delivered; what follows is new.
    Ready,
    /// The stream is interrupted. It resumes by itself, where it broke.
    Interrupted(Box<Problem>),
}

/// A live conversation: messages in their order, none skipped. It ends with `conversations.not_found` where it was
/// deleted.
pub type ConversationEvents = Events<ConversationEvent>;

pub(crate) struct FollowConversation {
    pub id: ConversationId,
    /// The last message that was delivered.
    pub after: Option<u64>,
}

#[derive(serde::Deserialize)]
struct ChangedEvent {
    version: u64,
}

impl Follow for FollowConversation {
    type Told = ConversationEvent;

    fn request(&self) -> Result<Call> {
        Call::get(of(&self.id, &["events"])).query(&serde_json::json!({ "after": self.after }))
    }

    fn interrupted(problem: Box<Problem>) -> ConversationEvent {
        ConversationEvent::Interrupted(problem)
    }

    fn take(&mut self, event: &Event) -> Result<Option<ConversationEvent>> {
        let told = match event.event.as_str() {
            "message" => {
                let message: Message = parse(event)?;
                self.after = Some(message.seq);
                ConversationEvent::Message(Box::new(message))
            }
            "changed" => {
                let ChangedEvent { version } = parse(event)?;
                ConversationEvent::Changed { version }
            }
            "gap" => {
                // A connection that follows begins anew, too, and not beyond the end once more.
                self.after = Some(0);
                ConversationEvent::Gap
            }
            "ready" => {
                self.after = event.id.parse().ok().or(self.after);
                ConversationEvent::Ready
            }
            _ => return unknown(event),
        };
        Ok(Some(told))
    }
}
