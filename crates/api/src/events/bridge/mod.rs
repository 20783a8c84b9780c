//! The HTTP bridge of the founding system (`POST /internal/<area>/<act>`), as one table: each call, and the event that it
//! stands for. Read one way by the server that takes such calls, and the other way by a publisher that makes them.
//!
//! | call | stream | type | room | what clients of the hubs are told |
//! |---|---|---|---|---|
//! | `chat/message` | chat | `chat_message` | `request:<id>` | `ReceiveMessage` |
//! | `chat/typing` | chat | `typing_start`, `typing_stop` | `request:<id>` | `TypingIndicator` |
//! | `chat/read-status` | chat | `read_receipt` | `request:<id>` | `ReadStatusUpdate` |
//! | `ticket/update` | ticket | `ticket_update`; `status_change`, `assignment_change` where it is one | `request:<id>` | `TicketUpdate`, in both hubs |
//! | `ticket/task-status` | ticket | `task_status_changed` | `request:<id>` | `TaskStatusChanged`, in both hubs |
//! | `ticket/new` | ticket | `new_ticket` | `user-tickets:<user>`, one for each | `NewTicket` |
//! | `ticket/system-message` | chat | `system_message` | `request:<id>` | `ReceiveMessage` |
//! | `notification/new-message` | notification | `new_message_notification` | `request-notifications:<id>` | `NewMessageNotification` |
//! | `notification/send` | notification | `notification` | `notifications:<user>` | `Notification` |
//! | `notification/subscription-added` | notification | `subscription_added` | `notifications:<user>` | `SubscriptionAdded` |
//! | `notification/subscription-removed` | notification | `subscription_removed` | `notifications:<user>` | `SubscriptionRemoved` |
//! | `remote-access/auto-start` | remote | `remote_session_start` | `user:<user>` | `RemoteSessionAutoStart`, in both hubs |
//! | `remote-access/ended` | remote | `remote_session_end` | `remote-access:<session>` | `SessionEnded` |
//! | `remote-access/reconnect` | remote | `remote_session_reconnect` | `notifications:<user>` | `RemoteSessionReconnect` |
//! | `remote-access/uac-detected` | remote | `uac_detected` | `remote-access:<session>` | `UacDetected` |
//! | `remote-access/uac-dismissed` | remote | `uac_dismissed` | `remote-access:<session>` | `UacDismissed` |
//!
//! Payloads of messages, updates, tickets, notifications and sessions are carried as they came. Those that the bridge has
//! in parts are put together in the case that clients expect: camel case, but for typing and receipts, which streams have
//! always carried in snake case.

mod call;
mod event;
mod given;
mod standing;

pub use call::{BridgeCall, call_of};
pub use event::{Bridged, bridged};
pub use standing::{BridgeStats, UserOnline};

/// The header that carries the key of the bridge.
pub const BRIDGE_KEY_HEADER: &str = "x-internal-api-key";

/// Every call, as `<area>/<act>`.
pub const CALLS: [&str; 16] = [
    "chat/message",
    "chat/typing",
    "chat/read-status",
    "ticket/update",
    "ticket/task-status",
    "ticket/new",
    "ticket/system-message",
    "notification/new-message",
    "notification/send",
    "notification/subscription-added",
    "notification/subscription-removed",
    "remote-access/auto-start",
    "remote-access/ended",
    "remote-access/reconnect",
    "remote-access/uac-detected",
    "remote-access/uac-dismissed",
];

/// The answer to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct BridgeAnswer {
    /// Set where the event is stored, so that it reaches every client.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub broadcast: bool,
    /// Set where the event had been taken before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub duplicate: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::PublishEvent;
    use serde_json::{Value, json};

    fn body(path: &str) -> Value {
        let own = match path {
            "chat/message" => json!({"request_id": "42", "message": {"id": "m", "n": 1}}),
            "chat/typing" => json!({"request_id": "42", "user_id": "7", "is_typing": true}),
            "chat/read-status" => json!({"request_id": "42", "user_id": "7", "message_ids": ["m"]}),
            "ticket/update" => {
                json!({"request_id": "42", "update": {"type": "priority", "data": {"p": 1}, "requestId": "42"}})
            }
            "ticket/task-status" => json!({"request_id": "42", "status": "done", "changed_by": "7"}),
            "ticket/new" => json!({"ticket": {"id": "42"}, "requester_id": "7"}),
            "ticket/system-message" => json!({"request_id": "42", "type": "status", "message": {"id": "m"}}),
            "notification/new-message" => json!({"request_id": "42", "message": {"id": "m"}, "sender_id": "8"}),
            "notification/send" => json!({"user_id": "7", "notification": {"title": "t"}}),
            "notification/subscription-added" | "notification/subscription-removed" => {
                json!({"user_id": "7", "request_id": "42"})
            }
            "remote-access/auto-start" | "remote-access/reconnect" => {
                json!({"requester_id": "7", "session": {"sessionId": "s", "agentId": "8", "requestId": "42"}})
            }
            "remote-access/ended" => json!({"session_id": "s", "reason": "left", "ended_by": "8"}),
            _ => json!({"session_id": "s", "agent_id": "8"}),
        };
        let mut own = own;
        own["event_id"] = json!("e1");
        own
    }

    fn taken(path: &str, body: &Value) -> Bridged {
        bridged(path, body.to_string().as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn every_call_is_an_event_and_that_event_is_the_call_again() {
        for path in CALLS {
            let first = taken(path, &body(path));
            let [event] = first.events.as_slice() else { panic!("{path}") };
            assert_eq!(event.id.as_ref().unwrap().as_str(), "e1", "{path}");
            let call = call_of(&first.stream, event).unwrap_or_else(|| panic!("{path} has no call"));
            assert_eq!(call.path, path);
            assert_eq!(call.room, event.room, "{path}");
            let again = taken(path, &serde_json::from_str(call.body.as_str()).unwrap());
            let key = |event: &PublishEvent| {
                let payload: Value = event.payload.read().unwrap();
                (event.kind.clone(), event.room.clone(), payload)
            };
            assert_eq!(key(&again.events[0]), key(event), "{path}");
            assert_eq!(again.stream, first.stream, "{path}");
        }
        assert!(bridged("chat/unknown", b"{}").is_none());
    }

    #[test]
    fn digits_survive_both_ways() {
        let text = r#"{"event_id":"e1","request_id":"42","message":{"n":12345678901234567890.10}}"#;
        let taken = bridged("chat/message", text.as_bytes()).unwrap().unwrap();
        assert_eq!(taken.events[0].payload.as_str(), r#"{"n":12345678901234567890.10}"#);
        let call = call_of(&taken.stream, &taken.events[0]).unwrap();
        assert!(call.body.as_str().contains("12345678901234567890.10"), "{}", call.body.as_str());
    }

    #[test]
    fn an_event_is_the_same_one_whichever_way_it_takes() {
        let events = [
            ("chat", "chat_message", "request:42", json!({"id": "m"})),
            ("chat", "typing_start", "request:42", json!({"user_id": "7", "username": "ada", "is_typing": true})),
            ("chat", "typing_stop", "request:42", json!({"user_id": "7", "is_typing": false})),
            ("chat", "read_receipt", "request:42", json!({"user_id": "7", "message_ids": ["m"]})),
            ("chat", "system_message", "request:42", json!({"id": "m"})),
            ("ticket", "ticket_update", "request:42", json!({"type": "priority", "data": {}, "requestId": "42"})),
            ("ticket", "status_change", "request:42", json!({"request_id": "42", "new_status": "open"})),
            ("ticket", "assignment_change", "request:42", json!({"request_id": "42", "assignee_id": null})),
            ("ticket", "new_ticket", "user-tickets:7", json!({"id": "42"})),
            ("notification", "notification", "notifications:7", json!({"title": "t"})),
            ("notification", "new_message_notification", "request-notifications:42", json!({"id": "m"})),
        ];
        for (stream, kind, room, payload) in events {
            let metadata = json!({"trace_id": "t", "origin": "c", "own": [1]});
            let event = json!({"id": "e1", "type": kind, "room": room, "payload": payload, "metadata": metadata,
                "timestamp": "2026-01-16T10:00:00.123Z"});
            let event: PublishEvent = serde_json::from_value(event).unwrap();
            let call = call_of(&stream.parse().unwrap(), &event).unwrap();
            let again = taken(call.path, &serde_json::from_str(call.body.as_str()).unwrap());
            let mut again = serde_json::to_value(&again.events[0]).unwrap();
            // What a call says of it in its own place is in the metadata besides.
            again["metadata"].as_object_mut().unwrap().remove("system_type");
            assert_eq!(again, serde_json::to_value(&event).unwrap(), "{kind}");
        }
    }

    #[test]
    fn what_a_caller_says_besides_in_another_form_is_passed_over() {
        let mut message = body("chat/message");
        (message["timestamp"], message["metadata"]) = (json!("yesterday"), json!([1]));
        let event = &taken("chat/message", &message).events[0];
        assert!(event.timestamp.is_none() && event.metadata.is_empty());
        let update = json!({"type": "status_change", "data": {"a": 1}, "requestId": "42", "more": 1});
        let whole = taken("ticket/update", &json!({"event_id": "e", "request_id": "42", "update": update}));
        assert_eq!(whole.events[0].kind.as_str(), "ticket_update", "nothing of it is lost");
    }

    #[test]
    fn control_and_reconnection_are_no_end_of_a_session() {
        let kinds: Vec<String> = ["remote-access/ended", "remote-access/reconnect", "remote-access/auto-start"]
            .map(|path| taken(path, &body(path)).events[0].kind.to_string())
            .into();
        assert_eq!(kinds, ["remote_session_end", "remote_session_reconnect", "remote_session_start"]);
    }

    #[test]
    fn a_ticket_is_told_to_the_requester_and_to_the_assignee_once_each() {
        let mut new = body("ticket/new");
        new["assigned_to_id"] = json!("8");
        let events = taken("ticket/new", &new).events;
        let told: Vec<_> =
            events.iter().map(|event| (event.id.clone().unwrap().to_string(), event.room.to_string())).collect();
        let told: Vec<(&str, &str)> = told.iter().map(|(id, room)| (id.as_str(), room.as_str())).collect();
        assert_eq!(told, [("e1", "user-tickets:7"), ("e1:user-tickets:8", "user-tickets:8")]);
        new["assigned_to_id"] = json!("7");
        assert_eq!(taken("ticket/new", &new).events.len(), 1);
    }

    #[test]
    fn what_a_session_does_not_say_is_what_the_bridge_has_always_assumed() {
        let session: Value =
            taken("remote-access/auto-start", &body("remote-access/auto-start")).events[0].payload.read().unwrap();
        assert_eq!(
            (&session["mode"], &session["autoApproved"], &session["isReconnection"]),
            (&json!("view"), &json!(true), &json!(false))
        );
    }

    #[test]
    fn a_call_that_lacks_something_says_what() {
        for (path, name) in
            [("chat/message", "message"), ("chat/typing", "is_typing"), ("chat/read-status", "event_id")]
        {
            let mut broken = body(path);
            broken.as_object_mut().unwrap().remove(name);
            let rule = bridged(path, broken.to_string().as_bytes()).unwrap().unwrap_err();
            assert!(rule.contains(name), "{path}: {rule}");
        }
        assert!(bridged("chat/message", b"no json").unwrap().is_err());
        let mut hostile = body("chat/message");
        hostile["request_id"] = json!("a".repeat(600));
        assert!(bridged("chat/message", hostile.to_string().as_bytes()).unwrap().is_err());
    }

    #[test]
    fn what_the_bridge_has_no_call_for_has_none() {
        let event: PublishEvent =
            serde_json::from_value(json!({"type": "remote_control_mode", "room": "remote-access:s", "payload": {}}))
                .unwrap();
        assert!(call_of(&"remote".parse().unwrap(), &event).is_none());
    }
}
