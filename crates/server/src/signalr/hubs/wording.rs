//! What clients of the hubs are told of an event: the method that it calls, and with what.

use super::HubKind;
use mainstay_core::api::RawJson;
use mainstay_core::api::events::{Event, EventId};
use mainstay_signalr::Value;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The method, and its argument.
type Told = (Cow<'static, str>, Value);

/// What clients of a hub are told of an event; nothing where it is not for them.
pub(super) fn told(hub: HubKind, event: &Event) -> Option<Told> {
    if hub == HubKind::Events {
        return told_as("Event", event);
    }
    let kind = event.kind.as_str();
    if !is_told_at(hub, event) {
        return None;
    }
    match kind {
        "chat_message" | "system_message" => told_as("ReceiveMessage", &event.payload),
        "typing_start" | "typing_stop" => typing(event, kind == "typing_start"),
        "read_receipt" => receipt(event),
        "status_change" | "assignment_change" => {
            // The stream's own consumer once said `TicketUpdated`, which no client listens to.
            let (request_id, data) = (about(event), camel_case(&event.payload)?);
            told_as("TicketUpdate", Update { event_id: &event.id, request_id, event_type: kind, kind, data })
        }
        "ticket_update" => ticket_update(event),
        "ticket_list_update" => list_update(event),
        "remote_session_start" => told_as("RemoteSessionAutoStart", camel_case(&event.payload)?),
        "remote_session_reconnect" => told_as("RemoteSessionReconnect", camel_case(&event.payload)?),
        "remote_session_end" => session_end(hub, event),
        "remote_control_mode" => control(&Body::of(&event.payload)?),
        "signal" | "sdp_offer" | "sdp_answer" | "ice_candidate" => signal(event),
        "task_status_changed"
        | "new_ticket"
        | "notification"
        | "new_message_notification"
        | "subscription_added"
        | "subscription_removed"
        | "uac_detected"
        | "uac_dismissed"
        | "participant_joined"
        | "participant_left" => told_as(pascal_case(kind), camel_case(&event.payload)?),
        // What applications invent is theirs to word.
        invented => told_as(pascal_case(invented), &event.payload),
    }
}

/// Whether clients of a hub are told of an event. What concerns one user is for the hubs that know the user; types that
/// are not known here are for all, but where a bare id may be that of something else.
fn is_told_at(hub: HubKind, event: &Event) -> bool {
    use HubKind::{Chat, Notification, RemoteAccess, Ticket};
    let hubs: &[HubKind] = match event.kind.as_str() {
        "chat_message" | "system_message" | "typing_start" | "typing_stop" | "read_receipt" => &[Chat],
        "status_change" | "assignment_change" | "ticket_update" | "task_status_changed" => &[Chat, Ticket],
        "new_ticket" | "ticket_list_update" => &[Ticket],
        "notification" => &[Chat, Notification],
        "new_message_notification" | "subscription_added" | "subscription_removed" => &[Notification],
        "remote_session_start" => &[Chat, Notification],
        "remote_session_reconnect" | "remote_session_end" | "remote_control_mode" => {
            &[Chat, Notification, RemoteAccess]
        }
        "uac_detected" | "uac_dismissed" | "participant_joined" | "participant_left" => &[RemoteAccess],
        "signal" | "sdp_offer" | "sdp_answer" | "ice_candidate" => &[RemoteAccess],
        _ => return hub != Notification || event.room.as_str().contains(':'),
    };
    hubs.contains(&hub)
}

/// `told_as(target, argument)`: the argument as JSON, whose digits stay what they are.
fn told_as(target: impl Into<Cow<'static, str>>, argument: impl Serialize) -> Option<Told> {
    Some((target.into(), Value::write(&argument).ok()?))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Typing<'a> {
    request_id: &'a str,
    user_id: Option<&'a RawJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a RawJson>,
    is_typing: bool,
}

fn typing(event: &Event, started: bool) -> Option<Told> {
    let said = Body::of(&event.payload)?;
    let is_typing = said.find("is_typing").and_then(|raw| raw.read().ok()).unwrap_or(started);
    let (user_id, username) = (said.find("user_id"), said.find("username"));
    told_as("TypingIndicator", Typing { request_id: about(event), user_id, username, is_typing })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Receipt<'a> {
    request_id: &'a str,
    user_id: Option<&'a RawJson>,
    message_ids: Option<&'a RawJson>,
}

fn receipt(event: &Event) -> Option<Told> {
    let said = Body::of(&event.payload)?;
    let (user_id, message_ids) = (said.find("user_id"), said.find("message_ids"));
    told_as("ReadStatusUpdate", Receipt { request_id: about(event), user_id, message_ids })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Update<'a> {
    event_id: &'a EventId,
    request_id: &'a str,
    event_type: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    data: BTreeMap<String, RawJson>,
}

/// An update that came as one, with what an update that came in parts says besides.
fn ticket_update(event: &Event) -> Option<Told> {
    let mut update = camel_case(&event.payload)?;
    if let Some(kind) = update.get("type").cloned() {
        update.entry("eventType".into()).or_insert(kind);
    }
    update.entry("eventId".into()).or_insert(RawJson::of(&event.id).ok()?);
    update.entry("requestId".into()).or_insert(RawJson::of(&about(event)).ok()?);
    if let Some(data) = update.get("data").and_then(camel_case) {
        update.insert("data".into(), RawJson::of(&data).ok()?);
    }
    told_as("TicketUpdate", update)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListUpdate<'a> {
    event_id: &'a EventId,
    update_type: Option<&'a RawJson>,
    request_id: Option<&'a RawJson>,
    data: BTreeMap<String, RawJson>,
}

fn list_update(event: &Event) -> Option<Told> {
    let said = Body::of(&event.payload)?;
    let (update_type, request_id) = (said.find("update_type"), said.find("request_id"));
    let data = camel_case(&event.payload)?;
    told_as("TicketListUpdated", ListUpdate { event_id: &event.id, update_type, request_id, data })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionEnd<'a> {
    session_id: Option<&'a RawJson>,
    reason: Option<&'a RawJson>,
    ended_by: Option<&'a RawJson>,
}

/// The founding system publishes a change of the mode, and a reconnection, as ends of a session. They are no end: a client
/// would show one.
fn session_end(hub: HubKind, event: &Event) -> Option<Told> {
    let said = Body::of(&event.payload)?;
    if said.find("reconnect").is_some_and(|raw| raw.as_str() == "true") {
        return told_as("RemoteSessionReconnect", camel_case(&event.payload)?);
    }
    if said.find("reason").is_none() && said.find("mode").is_some() {
        return control(&said);
    }
    if hub != HubKind::RemoteAccess {
        return told_as("RemoteSessionEnded", camel_case(&event.payload)?);
    }
    let (session_id, ended_by) = (said.find("session_id"), said.find("ended_by"));
    told_as("SessionEnded", SessionEnd { session_id, reason: said.find("reason"), ended_by })
}

fn control(said: &Body) -> Option<Told> {
    let mode = said.find("mode").is_some_and(|mode| mode.as_str() == "\"control\"");
    let enabled = said.find("enabled").map_or(mode, |raw| raw.as_str() == "true");
    told_as(if enabled { "ControlEnabled" } else { "ControlDisabled" }, said.in_camel_case())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Signal<'a> {
    session_id: Option<&'a RawJson>,
    payload: Option<&'a RawJson>,
    from_user_id: Option<&'a RawJson>,
}

/// A signal calls the method that its type names.
fn signal(event: &Event) -> Option<Told> {
    let said = Body::of(&event.payload)?;
    let target = match event.kind.as_str() {
        "signal" => Cow::Owned(said.find("type")?.read::<String>().ok()?),
        kind => pascal_case(kind).into(),
    };
    let (session_id, payload) = (said.find("session_id"), said.find("payload"));
    told_as(target, Signal { session_id, payload, from_user_id: said.find("from_user_id") })
}

/// What an event is about, without what kind of room it is: publishers name rooms either way.
fn about(event: &Event) -> &str {
    let room = event.room.as_str();
    let kinds = ["request:", "ticket:"];
    kinds.iter().find_map(|kind| room.strip_prefix(kind)).unwrap_or(room)
}

/// The fields of a payload, each as it was written.
struct Body(BTreeMap<String, RawJson>);

impl Body {
    fn of(payload: &RawJson) -> Option<Self> {
        payload.read().ok().map(Self)
    }

    /// A field that is there and not null, by its name in snake case: payloads are written in either case.
    fn find(&self, snake: &str) -> Option<&RawJson> {
        let found = self.0.get(snake).or_else(|| self.0.get(&camel(snake)));
        found.filter(|value| value.as_str() != "null")
    }

    /// The fields under the names that clients read. Where a field is there in both cases, the client's one stands.
    fn in_camel_case(&self) -> BTreeMap<String, RawJson> {
        let mut fields: BTreeMap<String, RawJson> = BTreeMap::new();
        for (name, value) in &self.0 {
            let read = camel(name);
            if read == *name || !self.0.contains_key(&read) {
                fields.insert(read, value.clone());
            }
        }
        fields
    }
}

fn camel_case(payload: &RawJson) -> Option<BTreeMap<String, RawJson>> {
    Body::of(payload).map(|body| body.in_camel_case())
}

/// `request_id` as `requestId`.
fn camel(name: &str) -> String {
    let mut words = name.split('_').filter(|word| !word.is_empty());
    let first = words.next().unwrap_or(name).to_owned();
    words.fold(first, |camel, word| camel + &capital(word))
}

/// `task_status_changed` as `TaskStatusChanged`: the method for an event of a type that is not known here.
fn pascal_case(kind: &str) -> String {
    kind.split(['_', '-', '.']).map(capital).collect()
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    fn event(kind: &str, room: &str, payload: Json) -> Event {
        let event = json!({ "id": "e1", "type": kind, "stream": "chat", "room": room,
            "timestamp": "2026-01-16T00:00:00Z", "payload": payload, "position": "e:5-0" });
        serde_json::from_value(event).unwrap()
    }

    fn said(hub: HubKind, event: &Event) -> Option<(String, Json)> {
        let (target, argument) = told(hub, event)?;
        Some((target.into_owned(), argument.read().unwrap()))
    }

    #[test]
    fn typing_and_receipts_are_told_in_the_case_that_clients_read() {
        let typing = event("typing_start", "request:42", json!({ "user_id": 7, "username": "ada", "is_typing": true }));
        let expected = json!({ "requestId": "42", "userId": 7, "username": "ada", "isTyping": true });
        assert_eq!(said(HubKind::Chat, &typing), Some(("TypingIndicator".into(), expected)));
        let receipt = event("read_receipt", "42", json!({ "user_id": "7", "message_ids": ["m"] }));
        let expected = json!({ "requestId": "42", "userId": "7", "messageIds": ["m"] });
        assert_eq!(said(HubKind::Chat, &receipt), Some(("ReadStatusUpdate".into(), expected)));
        assert_eq!(said(HubKind::Ticket, &receipt), None);
    }

    #[test]
    fn a_ticket_update_reads_alike_whichever_way_it_came() {
        let change = event("status_change", "42", json!({ "request_id": "42", "new_status": "open" }));
        let data = json!({ "requestId": "42", "newStatus": "open" });
        let expected = json!({ "eventId": "e1", "requestId": "42", "eventType": "status_change",
            "type": "status_change", "data": data });
        assert_eq!(said(HubKind::Ticket, &change), Some(("TicketUpdate".into(), expected.clone())));
        let bridged = json!({ "type": "status_change", "data": { "request_id": "42", "new_status": "open" },
            "requestId": "42" });
        let bridged = event("ticket_update", "request:42", bridged);
        assert_eq!(said(HubKind::Ticket, &bridged), Some(("TicketUpdate".into(), expected)));
    }

    #[test]
    fn what_is_no_end_of_a_session_is_not_told_as_one() {
        let end = |payload| event("remote_session_end", "7", payload);
        let name = |event: &Event| said(HubKind::Notification, event).unwrap().0;
        let ended = end(json!({ "session_id": "s", "reason": "left" }));
        assert_eq!(name(&ended), "RemoteSessionEnded");
        assert_eq!(said(HubKind::RemoteAccess, &ended).unwrap().0, "SessionEnded");
        assert_eq!(name(&end(json!({ "session_id": "s", "mode": "control" }))), "ControlEnabled");
        assert_eq!(name(&end(json!({ "session_id": "s", "mode": "view" }))), "ControlDisabled");
        let again = end(json!({ "reconnect": true, "sessionId": "s", "mode": "view" }));
        assert_eq!(name(&again), "RemoteSessionReconnect");
        let (_, argument) = said(HubKind::Chat, &again).unwrap();
        assert_eq!(argument["sessionId"], "s");
    }

    #[test]
    fn what_concerns_one_user_is_not_told_where_others_listen() {
        let notification = event("notification", "42", json!({ "title": "t", "action_url": "/" }));
        assert_eq!(said(HubKind::Ticket, &notification), None);
        let (_, argument) = said(HubKind::Notification, &notification).unwrap();
        assert_eq!(argument, json!({ "title": "t", "actionUrl": "/" }));
        let invented = event("some_news", "42", json!({}));
        assert_eq!(said(HubKind::Notification, &invented), None);
        assert_eq!(said(HubKind::Ticket, &invented).unwrap().0, "SomeNews");
        let named = event("some_news", "user:42", json!({}));
        assert_eq!(said(HubKind::Notification, &named).unwrap().0, "SomeNews");
    }

    #[test]
    fn a_signal_calls_the_method_that_it_names() {
        let signal = json!({ "sessionId": "s", "type": "Renegotiate", "payload": [1], "fromUserId": "7" });
        let signal = event("signal", "remote-access:s", signal);
        let expected = json!({ "sessionId": "s", "payload": [1], "fromUserId": "7" });
        assert_eq!(said(HubKind::RemoteAccess, &signal), Some(("Renegotiate".into(), expected)));
        let offer =
            event("sdp_offer", "remote-access:s", json!({ "sessionId": "s", "payload": {}, "fromUserId": "7" }));
        assert_eq!(said(HubKind::RemoteAccess, &offer).unwrap().0, "SdpOffer");
    }

    #[test]
    fn names_go_from_one_case_to_the_other() {
        assert_eq!(
            (camel("request_id"), camel("requestId"), camel("a")),
            ("requestId".into(), "requestId".into(), "a".into())
        );
        assert_eq!(pascal_case("task_status-changed.now"), "TaskStatusChangedNow");
        let both: RawJson = RawJson::parse(r#"{"request_id":"old","requestId":"new","n":1.10}"#).unwrap();
        let both = camel_case(&both).unwrap();
        assert_eq!((both["requestId"].as_str(), both["n"].as_str(), both.len()), ("\"new\"", "1.10", 2));
    }
}
