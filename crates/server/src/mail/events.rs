//! `GET /v1/mail/inbox/events`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Query;
use crate::live::{self, Batch, Feed, SAFETY_READ, Subscription};
use crate::problem::Failure;
use axum::extract::State;
use axum::response::Response;
use axum::response::sse::Event;
use http::HeaderMap;
use mainstay_core::api::Position;
use mainstay_core::api::mail::{Gap, Inbox, Message, ReadInbox, Start};
use mainstay_core::{Caller, Error, Result, Topic};
use serde::Serialize;
use std::sync::Arc;

/// Follows the caller's inbox, as server-sent events.
///
/// Begins where `after` or the `Last-Event-ID` header says, so that what arrived meanwhile comes first. Events:
/// `message` (a message; its id is the position to resume from), `gap` (something after the position is gone),
/// `ready` (all that was there has been told), `problem` (the store is away; the stream goes on by itself), `bye`
/// (the server ends the stream; come back). Reading marks nothing as read.
#[utoipa::path(get, path = "/v1/mail/inbox/events", operation_id = "follow_inbox", tag = "mail",
    params(ReadInbox, ("last-event-id" = Option<String>, Header, description = "The position to resume from")),
    responses((status = 200, description = "Events", content_type = "text/event-stream", body = Message))
)]
pub(crate) async fn events(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Query(mut read): Query<ReadInbox>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    check(&read)?;
    if let Some(position) = last_event_id(&headers)? {
        read.after = Start::After(position);
    }
    let topic = Topic::Mail(caller.namespace.clone(), caller.instance()?.clone());
    let permit = app.admission.live()?;
    let subscription = Subscription { app: Arc::clone(&app), watch: app.services.hub.watch(topic), permit };
    let unread_only = read.after == Start::Unread;
    let feed = InboxFeed { app, caller, read, unread_only, ready: false };
    Ok(live::stream(feed, subscription).await?)
}

fn check(read: &ReadInbox) -> Result<()> {
    if read.wait_ms.is_some() {
        return Err(Error::invalid("wait_ms: a stream waits by itself; leave it out"));
    }
    if read.mark_read {
        return Err(Error::invalid(
            "mark_read: a stream cannot know what was read; mark with POST /v1/mail/inbox/read",
        ));
    }
    Ok(())
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<Position>> {
    let Some(value) = headers.get("last-event-id").filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let text = value.to_str().map_err(|_| Error::invalid("header last-event-id: it is not a position"))?;
    let position = text.parse().map_err(|broken| Error::invalid(format!("header last-event-id: {broken}")))?;
    Ok(Some(position))
}

struct InboxFeed {
    app: Arc<App>,
    caller: Caller,
    read: ReadInbox,
    /// Whether messages already read are passed over, until all that was there has been told.
    unread_only: bool,
    ready: bool,
}

#[derive(Serialize)]
struct GapNotice<'a> {
    gap: Gap,
    position: &'a Position,
}

#[derive(Serialize)]
struct ReadyNotice<'a> {
    position: &'a Position,
}

impl Feed for InboxFeed {
    async fn read(&mut self) -> Result<Batch> {
        let inbox = self.app.services.mail.inbox(&self.caller, &self.read).await?;
        let mut events = Vec::with_capacity(inbox.messages.len() + 2);
        if let Some(gap) = inbox.gap {
            events.push(live::json("gap", &GapNotice { gap, position: &inbox.position }));
        }
        events.extend(inbox.messages.iter().filter(|message| self.is_wanted(message)).map(message_event));
        if !inbox.more && !self.ready {
            self.ready = true;
            self.unread_only = false;
            events.push(ready_event(&inbox));
        }
        self.read.after = Start::After(inbox.position);
        Ok(Batch { events, wait: (!inbox.more).then_some(SAFETY_READ), end: None })
    }
}

impl InboxFeed {
    fn is_wanted(&self, message: &Message) -> bool {
        let read = message.receipt.as_ref().is_some_and(|receipt| receipt.read_at.is_some());
        !(self.unread_only && read)
    }
}

fn message_event(message: &Message) -> Event {
    live::json("message", message).id(message.position.to_string())
}

fn ready_event(inbox: &Inbox) -> Event {
    live::json("ready", &ReadyNotice { position: &inbox.position }).id(inbox.position.to_string())
}
