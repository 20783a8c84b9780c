//! `GET /v1/conversations/{id}/events`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{Path, Query};
use crate::live::{self, Batch, Feed, SAFETY_READ, Subscription};
use crate::problem::Failure;
use axum::extract::State;
use axum::response::Response;
use axum::response::sse::Event;
use http::HeaderMap;
use mainstay_core::api::conversations::{Message, MessagePage, ReadMessages};
use mainstay_core::api::{Code, ConversationId, Timestamp};
use mainstay_core::{Caller, Result, Topic};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Messages of one read.
const PAGE: u32 = 100;

/// Where to begin.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Start {
    /// The `seq` of the last message that the caller has: 0 for all of them. What comes from now on where absent.
    after: Option<u64>,
}

/// Follows one of the caller's conversations, as server-sent events.
///
/// Begins where `after` or the `Last-Event-ID` header says, so that what was said meanwhile comes first. Events:
/// `message` (a message; its id is the place to resume from), `changed` (the conversation has another version, told
/// after its new messages: there may also be another status, or the outcome of a message), `ready` (all that was there has been told),
/// `gap` (the place to begin at is beyond the last message, as where the conversation was deleted and begun anew: what
/// there is follows from the beginning), `problem` (the store is away; the stream goes on by itself), `bye` (the stream ends: `deleted` with the conversation,
/// `credential` with the caller's right to it, `stopping` with the server). Problems: `conversations.not_found`.
#[utoipa::path(get, path = "/v1/conversations/{id}/events", operation_id = "follow_conversation", tag = "conversations",
    params(("id" = ConversationId, Path, description = "The conversation"), Start,
        ("last-event-id" = Option<String>, Header, description = "The place to resume from")),
    responses((status = 200, description = "Events", content_type = "text/event-stream", body = Message))
)]
pub(crate) async fn events(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<ConversationId>,
    Query(start): Query<Start>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let after = live::last_event_id(&headers, "the seq of a message")?.or(start.after);
    let topic = Topic::Conversations(caller.namespace.clone(), caller.subject.clone());
    let permit = app.admission.live()?;
    let subscription = Subscription { app: Arc::clone(&app), watch: app.services.hub.watch(topic), permit };
    let feed = ConversationFeed { app, caller, id, after, told: None, ready: false };
    Ok(live::stream(feed, subscription).await?)
}

struct ConversationFeed {
    app: Arc<App>,
    caller: Caller,
    id: ConversationId,
    /// The last message that was told; none before the first read of a stream that begins now.
    after: Option<u64>,
    /// The version that was told last.
    told: Option<u64>,
    ready: bool,
}

/// What is told of a change that is no message.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Changed<'a> {
    conversation_id: &'a ConversationId,
    version: u64,
    message_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

impl Feed for ConversationFeed {
    async fn read(&mut self) -> Result<Batch> {
        let limit = if self.after.is_some() { PAGE } else { 1 };
        let read = ReadMessages { after: self.after, before: None, limit: Some(limit) };
        // The subscription is a use of the conversation; that it is read again meanwhile is none.
        let conversations = &self.app.services.conversations;
        let page = match self.told {
            None => conversations.messages(&self.caller, &self.id, read).await,
            Some(_) => conversations.look(&self.caller, &self.id, read).await,
        };
        match page {
            Ok(page) => Ok(self.told_of(page)),
            // It was there when the stream began.
            Err(error) if error.code() == Code::ConversationNotFound && self.told.is_some() => {
                Ok(Batch { events: Vec::new(), wait: None, end: Some("deleted") })
            }
            Err(error) => Err(error),
        }
    }
}

impl ConversationFeed {
    fn told_of(&mut self, page: MessagePage) -> Batch {
        let changed = Changed {
            conversation_id: &self.id,
            version: page.version,
            message_count: page.message_count,
            expires_at: page.expires_at,
        };
        if self.after.is_some_and(|after| after > page.message_count) {
            // The place is of another conversation, such as one of the same id that was deleted.
            self.after = Some(0);
            self.told.get_or_insert(page.version);
            return Batch { events: vec![live::json("gap", &changed).id("0")], wait: None, end: None };
        }
        let mut events = Vec::with_capacity(page.messages.len() + 2);
        let mut more = page.more;
        match self.after {
            None => (self.after, more) = (Some(page.message_count), false),
            Some(after) => {
                events.extend(page.messages.iter().map(message_event));
                self.after = Some(page.messages.last().map_or(after, |message| message.seq));
            }
        }
        if self.told.is_some_and(|version| version != page.version) && !more {
            events.push(live::json("changed", &changed));
        }
        if !more && !self.ready {
            self.ready = true;
            events.push(live::json("ready", &changed).id(self.after.unwrap_or_default().to_string()));
        }
        if !more || self.told.is_none() {
            self.told = Some(page.version);
        }
        Batch { events, wait: (!more).then_some(SAFETY_READ), end: None }
    }
}

fn message_event(message: &Message) -> Event {
    live::json("message", message).id(message.seq.to_string())
}
