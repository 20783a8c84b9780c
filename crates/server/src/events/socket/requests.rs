//! What clients ask for.

use super::session::Session;
use crate::events::Way;
use crate::layers::timed_out;
use crate::live::{Said, Wish};
use crate::metrics::Transport;
use mainstay_core::api::events::{LiveMessage, LiveOp, LiveRequest, MAX_LIVE_BATCH, PublishEvents, RoomId, StreamName};
use mainstay_core::{Error, Result};
use serde_json::{Value, json};
use std::time::Duration;

/// Messages that one receipt may name.
const MAX_READ: usize = 100;
/// Longest id of a message in a receipt, in bytes.
const MAX_READ_BYTES: usize = 200;

impl Session {
    /// Answers what stands in a frame, in its order.
    pub(super) async fn hear(&mut self, text: &str) {
        let requests = match parse(text) {
            Ok(requests) => requests,
            Err(error) => return self.refuse(None, &error),
        };
        for request in requests {
            let id = request.id;
            let limit_ms = self.app.config.request_timeout_ms;
            let answered = tokio::time::timeout(Duration::from_millis(limit_ms), self.answer(request)).await;
            if let Err(error) = answered.unwrap_or_else(|_| Err(timed_out(limit_ms))) {
                self.refuse(id, &error);
            }
        }
    }

    async fn answer(&mut self, request: LiveRequest) -> Result<()> {
        let id = request.id;
        let answer = match request.op {
            LiveOp::Subscribe => return self.subscribe(request).await,
            LiveOp::Unsubscribe => {
                let place = room_of(&request)?;
                let (rooms, listener) = self.rooms();
                rooms.remove(listener, &place).await;
                let (stream, room) = place;
                LiveMessage::Unsubscribed { id, stream, room, problem: None }
            }
            LiveOp::Publish => self.publish(request).await?,
            LiveOp::Typing => return self.typing(&request).await,
            LiveOp::Read => return self.read(&request).await,
            LiveOp::Presence => {
                let (stream, room) = room_of(&request)?;
                let presence = self.app.services.rooms.presence(&self.caller, &stream, &room).await?;
                LiveMessage::Presence { id, stream, presence }
            }
            LiveOp::Ping => LiveMessage::Pong { id },
        };
        self.say(&answer);
        Ok(())
    }

    async fn subscribe(&mut self, request: LiveRequest) -> Result<()> {
        let place = room_of(&request)?;
        let max = self.app.config.live.max_subscriptions;
        if self.rooms.len() >= max && !self.rooms.contains(&place) {
            return Err(Error::invalid(format!("the connection has {max} subscriptions, as many as it may: end some")));
        }
        let present = request.present || request.info.is_some();
        let wish = Wish { place: place.clone(), from: request.from, present, info: request.info };
        let (rooms, listener) = self.rooms();
        let joining = rooms.prepare(listener, wish).await?;
        let (stream, room) = place;
        let (position, gap) = (joining.position().clone(), joining.gap());
        self.say(&LiveMessage::Subscribed { id: request.id, stream, room, position, gap });
        self.rooms.begin(joining);
        Ok(())
    }

    async fn publish(&mut self, request: LiveRequest) -> Result<LiveMessage> {
        let stream = request.stream.ok_or_else(|| missing("stream"))?;
        let mut events = request.events.ok_or_else(|| missing("events"))?;
        for event in &mut events {
            // Whoever names an origin keeps the event from it: nobody may do that to others.
            event.metadata.origin = event.metadata.origin.take().map(|_| self.outlet.connection().to_owned());
        }
        let publish = PublishEvents { events };
        let way = Way { stream: &stream, from: Transport::WebSocket, request: None };
        let published = self.app.services.publisher.publish(&self.caller, way, publish).await?;
        Ok(LiveMessage::Published { id: request.id, events: published.events })
    }

    async fn typing(&mut self, request: &LiveRequest) -> Result<()> {
        let is_typing = request.is_typing.ok_or_else(|| missing("is_typing"))?;
        let kind = if is_typing { "typing_start" } else { "typing_stop" };
        let user = self.caller.subject.user.as_str();
        let payload = json!({ "user_id": user, "username": user, "is_typing": is_typing });
        self.pass_on(request, kind, payload).await
    }

    async fn read(&mut self, request: &LiveRequest) -> Result<()> {
        let ids = request.message_ids.as_ref().ok_or_else(|| missing("message_ids"))?;
        if !(1..=MAX_READ).contains(&ids.len()) || ids.iter().any(|id| id.is_empty() || id.len() > MAX_READ_BYTES) {
            return Err(Error::invalid(format!(
                "message_ids: name 1 to {MAX_READ} messages, each with at most {MAX_READ_BYTES} bytes"
            )));
        }
        let payload = json!({ "user_id": self.caller.subject.user.as_str(), "message_ids": ids });
        self.pass_on(request, "read_receipt", payload).await
    }

    /// Tells the others in a room how the caller is.
    async fn pass_on(&mut self, request: &LiveRequest, kind: &'static str, payload: Value) -> Result<()> {
        let place = room_of(request)?;
        let (rooms, listener) = self.rooms();
        rooms.say(listener, Said { place, kind, payload, from: Transport::WebSocket }).await
    }
}

/// One message, or a list of them.
fn parse(text: &str) -> Result<Vec<LiveRequest>> {
    let invalid = |error: serde_json::Error| Error::invalid(format!("message: {error}"));
    if !text.trim_start().starts_with('[') {
        return serde_json::from_str(text).map(|request| vec![request]).map_err(invalid);
    }
    let requests: Vec<LiveRequest> = serde_json::from_str(text).map_err(invalid)?;
    if requests.len() > MAX_LIVE_BATCH {
        return Err(Error::invalid(format!("a frame has {} messages; send at most {MAX_LIVE_BATCH}", requests.len())));
    }
    Ok(requests)
}

fn room_of(request: &LiveRequest) -> Result<(StreamName, RoomId)> {
    let stream = request.stream.clone().ok_or_else(|| missing("stream"))?;
    let room = request.room.clone().ok_or_else(|| missing("room"))?;
    Ok((stream, room))
}

fn missing(field: &str) -> Error {
    Error::invalid(format!("{field}: it is missing"))
}
