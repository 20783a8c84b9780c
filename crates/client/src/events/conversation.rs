//! A conversation, live.

use super::connection::{Connection, Next};
use super::inbox::parse;
use crate::call::Call;
use crate::conversations::of;
use crate::{Client, Result};
use futures::stream::{BoxStream, Stream, StreamExt, unfold};
use mainstay_api::conversations::Message;
use mainstay_api::{ConversationId, Problem};
use std::pin::Pin;
use std::task::{Context, Poll};

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
    /// Everything there was has been delivered; what follows is new.
    Ready,
    /// The stream is interrupted. It resumes by itself, where it broke.
    Interrupted(Box<Problem>),
}

/// A live conversation: messages in their order, none skipped. The stream survives lost connections and restarts of the
/// server. It ends with an error that no repetition can mend: `conversations.not_found` where it was deleted.
pub struct ConversationEvents(BoxStream<'static, Result<ConversationEvent>>);

impl ConversationEvents {
    pub(crate) fn new(client: Client, id: ConversationId, after: Option<u64>) -> Self {
        let follow = Follow { connection: Connection::new(client), id, after };
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

impl Stream for ConversationEvents {
    type Item = Result<ConversationEvent>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(context)
    }
}

struct Follow {
    connection: Connection,
    id: ConversationId,
    /// The last message that was delivered.
    after: Option<u64>,
}

#[derive(serde::Deserialize)]
struct ChangedEvent {
    version: u64,
}

impl Follow {
    async fn next(&mut self) -> Result<ConversationEvent> {
        loop {
            let request = match self.connection.is_open() {
                true => None,
                false => Some(Call::get(of(&self.id, &["events"])).query(&serde_json::json!({ "after": self.after }))?),
            };
            let event = match self.connection.next(request).await {
                Next::Event(event) => event,
                Next::Lost(error) => return Ok(ConversationEvent::Interrupted(Box::new(error.problem()))),
                Next::Refused(error) => return Err(error),
            };
            match event.event.as_str() {
                "message" => {
                    let message: Message = parse(&event.data)?;
                    self.after = Some(message.seq);
                    return Ok(ConversationEvent::Message(Box::new(message)));
                }
                "changed" => {
                    let ChangedEvent { version } = parse(&event.data)?;
                    return Ok(ConversationEvent::Changed { version });
                }
                "ready" => {
                    self.after = event.id.parse().ok().or(self.after);
                    return Ok(ConversationEvent::Ready);
                }
                // A newer server may say more; what is not understood is not acted on.
                other => tracing::debug!(event = other, "unknown event passed over"),
            }
        }
    }
}
