//! From an event to the call that says the same.

use super::given::{Given, document};
use crate::events::{PublishEvent, RoomId, StreamName};
use crate::raw::RawJson;
use std::collections::BTreeMap;

/// An object, whose values stay as they were written.
macro_rules! object {
    ($($name:literal: $value:expr),+ $(,)?) => {
        BTreeMap::from([$(($name, document(&$value).ok()?)),+])
    };
}

/// A call of the bridge.
#[derive(Debug, Clone)]
pub struct BridgeCall {
    /// `<area>/<act>`.
    pub path: &'static str,
    /// The body, JSON.
    pub body: RawJson,
    /// The room that whoever takes the call puts the event into: an event that goes both ways must be in the same room
    /// on both, or it would be another one.
    pub room: RoomId,
}

/// The call that says what an event says; `None` where the bridge has none for it, or the event has no id.
#[must_use]
pub fn call_of(stream: &StreamName, event: &PublishEvent) -> Option<BridgeCall> {
    let id = event.id.as_ref()?;
    let said = Given::read(event.payload.as_str().as_bytes()).ok()?;
    let raw = |snake: &str, camel: &str| said.either(snake, camel);
    let payload = &event.payload;
    let about = |kinds: &[&str]| subject(&event.room, kinds);
    let request = about(&["request:", "ticket:"]);
    let session = about(&["remote-access:"]);
    let user = about(&["notifications:", "user:"]);
    let (path, mut body, room) = match (stream.as_str(), event.kind.as_str()) {
        ("chat", "chat_message") => {
            ("chat/message", object! { "request_id": request, "message": payload }, format!("request:{request}"))
        }
        ("chat", kind @ ("typing_start" | "typing_stop")) => {
            let mut body = object! {
                "request_id": request, "user_id": raw("user_id", "userId")?, "is_typing": kind == "typing_start",
            };
            if let Some(name) = raw("username", "username") {
                body.insert("username", name.clone());
            }
            ("chat/typing", body, format!("request:{request}"))
        }
        ("chat", "read_receipt") => {
            let body = object! {
                "request_id": request,
                "user_id": raw("user_id", "userId")?,
                "message_ids": raw("message_ids", "messageIds")?,
            };
            ("chat/read-status", body, format!("request:{request}"))
        }
        ("chat", "system_message") => {
            let kind = event.metadata.other.get("system_type").cloned().unwrap_or_else(|| "system".into());
            let body = object! { "request_id": request, "type": kind, "message": payload };
            ("ticket/system-message", body, format!("request:{request}"))
        }
        ("ticket", "ticket_update") => {
            ("ticket/update", object! { "request_id": request, "update": payload }, format!("request:{request}"))
        }
        ("ticket", kind @ ("status_change" | "assignment_change")) => {
            let update = object! { "type": kind, "data": payload, "requestId": request };
            ("ticket/update", object! { "request_id": request, "update": update }, format!("request:{request}"))
        }
        ("ticket", "task_status_changed") => {
            let body = object! {
                "request_id": request, "status": raw("status", "status")?, "changed_by": raw("changed_by", "changedBy"),
            };
            ("ticket/task-status", body, format!("request:{request}"))
        }
        ("ticket", "new_ticket") => {
            let user = about(&["user-tickets:", "user:"]);
            ("ticket/new", object! { "ticket": payload, "requester_id": user }, format!("user-tickets:{user}"))
        }
        ("notification", "new_message_notification") => {
            let request = about(&["request-notifications:", "request:"]);
            let sender = event.metadata.other.get("sender_id");
            let body = object! { "request_id": request, "message": payload, "sender_id": sender };
            ("notification/new-message", body, format!("request-notifications:{request}"))
        }
        ("notification", "notification") => {
            let body = object! { "user_id": user, "notification": payload };
            ("notification/send", body, format!("notifications:{user}"))
        }
        ("notification", kind @ ("subscription_added" | "subscription_removed")) => {
            let path = match kind {
                "subscription_added" => "notification/subscription-added",
                _ => "notification/subscription-removed",
            };
            let body = object! { "user_id": user, "request_id": raw("request_id", "requestId")? };
            (path, body, format!("notifications:{user}"))
        }
        ("remote", "remote_session_start") => {
            let body = object! { "requester_id": user, "session": payload };
            ("remote-access/auto-start", body, format!("user:{user}"))
        }
        ("remote", "remote_session_reconnect") => {
            let body = object! { "requester_id": user, "session": payload };
            ("remote-access/reconnect", body, format!("notifications:{user}"))
        }
        // In any other room it is told to a user, for which the bridge has no call.
        ("remote", "remote_session_end") if event.room.as_str().starts_with("remote-access:") => {
            let body = object! {
                "session_id": session,
                "reason": raw("reason", "reason")?,
                "ended_by": raw("ended_by", "endedBy"),
            };
            ("remote-access/ended", body, format!("remote-access:{session}"))
        }
        ("remote", kind @ ("uac_detected" | "uac_dismissed")) => {
            let agent = event.metadata.other.get("agent_id").cloned();
            let agent =
                agent.or_else(|| raw("agent_id", "agentId").and_then(|raw| raw.read::<serde_json::Value>().ok()))?;
            let path =
                if kind == "uac_detected" { "remote-access/uac-detected" } else { "remote-access/uac-dismissed" };
            (path, object! { "session_id": session, "agent_id": agent }, format!("remote-access:{session}"))
        }
        _ => return None,
    };
    body.insert("event_id", document(id).ok()?);
    // What the bridge of the founding system passes over, and ours keeps: an event is the same one on both ways.
    if let Some(timestamp) = &event.timestamp {
        body.insert("timestamp", document(timestamp).ok()?);
    }
    if !event.metadata.is_empty() {
        body.insert("metadata", document(&event.metadata).ok()?);
    }
    Some(BridgeCall { path, body: document(&body).ok()?, room: RoomId::parse(room).ok()? })
}

/// What a room is about, without what kind of room it is: publishers name rooms either way.
fn subject<'a>(room: &'a RoomId, kinds: &[&str]) -> &'a str {
    let room = room.as_str();
    kinds.iter().find_map(|kind| room.strip_prefix(kind)).filter(|rest| !rest.is_empty()).unwrap_or(room)
}
