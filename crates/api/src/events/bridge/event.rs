//! From a call to the event that it stands for.

use super::given::{Given, Result, document};
use crate::events::{EventId, EventMetadata, EventType, PublishEvent, RoomId, StreamName};
use crate::raw::RawJson;
use serde_json::json;

/// The events that a call stands for.
#[derive(Debug, Clone)]
pub struct Bridged {
    /// Their stream.
    pub stream: StreamName,
    /// At least one, each with its id.
    pub events: Vec<PublishEvent>,
}

/// What is told, before it is an event.
struct Told {
    stream: &'static str,
    kind: &'static str,
    room: String,
    payload: RawJson,
}

/// The events of a call, `<area>/<act>`, with its body; `None` where there is no such call. What the body has besides is
/// passed over.
///
/// # Errors
/// The field that is missing or wrong, and the rule it breaks.
#[must_use]
pub fn bridged(path: &str, body: &[u8]) -> Option<Result<Bridged>> {
    if !super::CALLS.contains(&path) {
        return None;
    }
    Some(Given::read(body).and_then(|given| events(path, &given)))
}

fn events(path: &str, given: &Given) -> Result<Bridged> {
    let id = given.id("event_id")?;
    let told = told(path, given)?;
    let stream = StreamName::parse(told.first().map_or("chat", |told| told.stream)).map_err(|e| e.to_string())?;
    let one = |(nth, told): (usize, Told)| {
        // What goes to a second room is an event of its own.
        let id = if nth == 0 { id.clone() } else { format!("{id}:{}", told.room) };
        Ok(PublishEvent {
            id: Some(EventId::parse(id).map_err(|rule| format!("event_id: {rule}"))?),
            kind: EventType::parse(told.kind).map_err(|rule| rule.to_string())?,
            room: RoomId::parse(told.room).map_err(|rule| rule.to_string())?,
            timestamp: given.known("timestamp"),
            payload: told.payload,
            metadata: metadata(path, given)?,
        })
    };
    Ok(Bridged { stream, events: told.into_iter().enumerate().map(one).collect::<Result<_>>()? })
}

/// What a call says besides its payload, kept for whoever looks at the event.
fn metadata(path: &str, given: &Given) -> Result<EventMetadata> {
    let names: &[&str] = match path {
        "ticket/system-message" => &["type"],
        "notification/new-message" => &["sender_id"],
        "remote-access/uac-detected" | "remote-access/uac-dismissed" => &["agent_id"],
        _ => &[],
    };
    let mut metadata: EventMetadata = given.known("metadata").unwrap_or_default();
    for name in names {
        if let Some(value) = given.optional_id(name)? {
            let key = if *name == "type" { "system_type" } else { name };
            metadata.other.insert(key.to_owned(), value.into());
        }
    }
    Ok(metadata)
}

fn told(path: &str, given: &Given) -> Result<Vec<Told>> {
    let one = |stream, kind, room, payload| Ok(vec![Told { stream, kind, room, payload }]);
    let request = |kind: &str| Ok::<_, String>(format!("{kind}:{}", given.id("request_id")?));
    let of = |kind: &str, name: &str| Ok::<_, String>(format!("{kind}:{}", given.id(name)?));
    match path {
        "chat/message" => one("chat", "chat_message", request("request")?, given.object("message")?),
        "chat/typing" => {
            let is_typing: bool = given.parsed("is_typing")?;
            let kind = if is_typing { "typing_start" } else { "typing_stop" };
            let mut payload = json!({ "user_id": given.id("user_id")?, "is_typing": is_typing });
            if let Some(name) = given.optional_id("username")? {
                payload["username"] = name.into();
            }
            one("chat", kind, request("request")?, document(&payload)?)
        }
        "chat/read-status" => {
            let payload = json!({ "user_id": given.id("user_id")?, "message_ids": given.ids("message_ids")? });
            one("chat", "read_receipt", request("request")?, document(&payload)?)
        }
        "ticket/update" => {
            let (kind, payload) = update(given)?;
            one("ticket", kind, request("request")?, payload)
        }
        "ticket/task-status" => {
            let payload = json!({
                "requestId": given.id("request_id")?,
                "status": given.id("status")?,
                "changedBy": given.optional_id("changed_by")?,
            });
            one("ticket", "task_status_changed", request("request")?, document(&payload)?)
        }
        "ticket/new" => new_ticket(given),
        "ticket/system-message" => {
            given.id("type")?;
            one("chat", "system_message", request("request")?, given.object("message")?)
        }
        "notification/new-message" => {
            let room = request("request-notifications")?;
            one("notification", "new_message_notification", room, given.object("message")?)
        }
        "notification/send" => {
            one("notification", "notification", of("notifications", "user_id")?, given.object("notification")?)
        }
        "notification/subscription-added" | "notification/subscription-removed" => {
            let kind = if path.ends_with("added") { "subscription_added" } else { "subscription_removed" };
            let payload = json!({ "requestId": given.id("request_id")? });
            one("notification", kind, of("notifications", "user_id")?, document(&payload)?)
        }
        "remote-access/auto-start" => {
            one("remote", "remote_session_start", of("user", "requester_id")?, session(given)?)
        }
        "remote-access/reconnect" => {
            one("remote", "remote_session_reconnect", of("notifications", "requester_id")?, session(given)?)
        }
        "remote-access/ended" => {
            let payload = json!({
                "sessionId": given.id("session_id")?,
                "reason": given.id("reason")?,
                "endedBy": given.optional_id("ended_by")?,
            });
            one("remote", "remote_session_end", of("remote-access", "session_id")?, document(&payload)?)
        }
        "remote-access/uac-detected" => {
            given.id("agent_id")?;
            let payload = json!({
                "sessionId": given.id("session_id")?,
                "message": "Waiting for the user to answer the UAC prompt",
            });
            one("remote", "uac_detected", of("remote-access", "session_id")?, document(&payload)?)
        }
        _ => {
            given.id("agent_id")?;
            let payload = json!({ "sessionId": given.id("session_id")? });
            one("remote", "uac_dismissed", of("remote-access", "session_id")?, document(&payload)?)
        }
    }
}

/// What a ticket's update says. One that a publisher made of an event of its own is that event again, so that its type
/// does not depend on the way that it took.
fn update(given: &Given) -> Result<(&'static str, RawJson)> {
    let update = given.object("update")?;
    let said = Given::read(update.as_str().as_bytes())?;
    let kind = said.id("type").ok();
    let kind = ["status_change", "assignment_change"].into_iter().find(|known| kind.as_deref() == Some(*known));
    let whole =
        said.has_only(&["type", "data", "requestId"]) && said.id("requestId").ok() == given.id("request_id").ok();
    match (kind, said.object("data")) {
        (Some(kind), Ok(data)) if whole => Ok((kind, data)),
        _ => Ok(("ticket_update", update)),
    }
}

/// To whoever asked, and to whoever is to see to it.
fn new_ticket(given: &Given) -> Result<Vec<Told>> {
    let (ticket, requester) = (given.object("ticket")?, given.id("requester_id")?);
    let assignee = given.optional_id("assigned_to_id")?.filter(|assignee| *assignee != requester);
    let told = |user: String| Told {
        stream: "ticket",
        kind: "new_ticket",
        room: format!("user-tickets:{user}"),
        payload: ticket.clone(),
    };
    Ok([Some(requester), assignee].into_iter().flatten().map(told).collect())
}

/// A session of remote access, with what the bridge assumes where it is not said.
fn session(given: &Given) -> Result<RawJson> {
    let session = given.object("session")?;
    let session = Given::read(session.as_str().as_bytes())?;
    for name in ["sessionId", "agentId", "requestId"] {
        session.id(name).map_err(|rule| format!("session.{rule}"))?;
    }
    session.with_defaults(&[("mode", "\"view\""), ("autoApproved", "true"), ("isReconnection", "false")])
}
