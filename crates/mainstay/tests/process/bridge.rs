//! The HTTP bridge as the backends of the founding system call it, on a real server: its key, its calls and its answers.

use crate::bed::{Bed, OWNER_KEY, SOON};
use crate::listener::Listener;
use crate::node::{Answer, Node};
use serde_json::{Value, json};
use std::time::Duration;

pub const KEY: &str = "the-key-of-the-bridge";

/// A call with these lines in its head, as plain as a client can make it.
async fn call_with(node: &Node, path: &str, head: &str, body: &str) -> Answer {
    let length = body.len();
    let text = format!(
        "POST /internal/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}Content-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    );
    node.raw(text.as_bytes()).await
}

/// A call with the key of the bridge.
pub async fn call(node: &Node, path: &str, body: &Value) -> Answer {
    let head = format!("X-Internal-Api-Key: {KEY}\r\nContent-Type: application/json\r\n");
    call_with(node, path, &head, &body.to_string()).await
}

/// What a stream of the namespace `default` holds.
pub async fn events(node: &Node, stream: &str) -> Vec<Value> {
    let answer = node.get(&format!("/v1/events/{stream}?limit=1000")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["events"].as_array().unwrap().clone()
}

/// A call, what it says besides its `event_id`, and the event that it is: stream, type, room and payload.
type Said = (&'static str, Value, [&'static str; 3], Value);

/// Every call of the contract; ids as text and as numbers, since backends write both.
fn calls() -> [Said; 16] {
    let message = json!({ "id": "m1", "requestId": "42", "senderId": 7, "content": "hé", "sequenceNumber": 1 });
    let session = json!({ "sessionId": "s", "agentId": 8, "agentName": "Bo", "requestId": "42", "requestTitle": "t" });
    let whole = json!({ "sessionId": "s", "agentId": 8, "agentName": "Bo", "requestId": "42", "requestTitle": "t",
        "mode": "view", "autoApproved": true, "isReconnection": false });
    let update = json!({ "type": "priority", "data": { "p": 1 }, "requestId": "42" });
    let subscription = json!({ "user_id": 7, "request_id": 42 });
    [
        (
            "chat/message",
            json!({ "request_id": "42", "message": message }),
            ["chat", "chat_message", "request:42"],
            message.clone(),
        ),
        (
            "chat/typing",
            json!({ "request_id": 42, "user_id": "7", "is_typing": true }),
            ["chat", "typing_start", "request:42"],
            json!({ "user_id": "7", "is_typing": true }),
        ),
        (
            "chat/read-status",
            json!({ "request_id": "42", "user_id": 7, "message_ids": ["m1", "m2"] }),
            ["chat", "read_receipt", "request:42"],
            json!({ "user_id": "7", "message_ids": ["m1", "m2"] }),
        ),
        (
            "ticket/update",
            json!({ "request_id": "42", "update": update }),
            ["ticket", "ticket_update", "request:42"],
            update.clone(),
        ),
        (
            "ticket/task-status",
            json!({ "request_id": "42", "status": "done", "changed_by": null }),
            ["ticket", "task_status_changed", "request:42"],
            json!({ "requestId": "42", "status": "done", "changedBy": null }),
        ),
        (
            "ticket/new",
            json!({ "ticket": { "id": "42" }, "requester_id": "7", "assigned_to_id": null }),
            ["ticket", "new_ticket", "user-tickets:7"],
            json!({ "id": "42" }),
        ),
        (
            "ticket/system-message",
            json!({ "request_id": "42", "type": "status", "message": message }),
            ["chat", "system_message", "request:42"],
            message.clone(),
        ),
        (
            "notification/new-message",
            json!({ "request_id": "42", "message": message, "sender_id": "7" }),
            ["notification", "new_message_notification", "request-notifications:42"],
            message.clone(),
        ),
        (
            "notification/send",
            json!({ "user_id": "7", "notification": { "title": "t" } }),
            ["notification", "notification", "notifications:7"],
            json!({ "title": "t" }),
        ),
        (
            "notification/subscription-added",
            subscription.clone(),
            ["notification", "subscription_added", "notifications:7"],
            json!({ "requestId": "42" }),
        ),
        (
            "notification/subscription-removed",
            subscription,
            ["notification", "subscription_removed", "notifications:7"],
            json!({ "requestId": "42" }),
        ),
        (
            "remote-access/auto-start",
            json!({ "requester_id": "7", "session": session }),
            ["remote", "remote_session_start", "user:7"],
            whole.clone(),
        ),
        (
            "remote-access/ended",
            json!({ "session_id": "s", "reason": "left", "ended_by": "8" }),
            ["remote", "remote_session_end", "remote-access:s"],
            json!({ "sessionId": "s", "reason": "left", "endedBy": "8" }),
        ),
        (
            "remote-access/reconnect",
            json!({ "requester_id": "7", "session": session }),
            ["remote", "remote_session_reconnect", "notifications:7"],
            whole,
        ),
        (
            "remote-access/uac-detected",
            json!({ "session_id": "s", "agent_id": 8 }),
            ["remote", "uac_detected", "remote-access:s"],
            json!({ "sessionId": "s", "message": "Waiting for the user to answer the UAC prompt" }),
        ),
        (
            "remote-access/uac-dismissed",
            json!({ "session_id": "s", "agent_id": 8 }),
            ["remote", "uac_dismissed", "remote-access:s"],
            json!({ "sessionId": "s" }),
        ),
    ]
}

#[tokio::test]
async fn every_call_is_one_event_in_its_room_and_is_answered_as_it_always_was() {
    for bed in [Bed::sqlite(), Bed::redis().await] {
        let bed = bed.with("INTERNAL_API_KEY", KEY);
        let node = bed.serve("node").await;
        for (path, mut body, _, _) in calls() {
            body["event_id"] = json!(path);
            let (first, again) = (call(&node, path, &body).await, call(&node, path, &body).await);
            assert_eq!((first.status, first.json()), (200, json!({ "broadcast": true })), "{path}");
            // Of who types and of what was read, a repetition may be held back, and is recognised after that.
            let passing = ["chat/typing", "chat/read-status"].contains(&path);
            assert!(
                again.status == 200 && (passing || again.json() == json!({ "duplicate": true })),
                "{path}: {again:?}"
            );
        }
        for stream in ["chat", "ticket", "notification", "remote"] {
            let mut stored = events(&node, stream).await.into_iter();
            for (path, _, [_, kind, room], payload) in calls().into_iter().filter(|call| call.2[0] == stream) {
                let event = stored.next().unwrap_or_else(|| panic!("{path} is missing"));
                let said = (&event["id"], &event["type"], &event["room"], &event["payload"]);
                assert_eq!(said, (&json!(path), &json!(kind), &json!(room), &payload), "{path}");
            }
            assert_eq!(stored.next(), None, "a repetition is no event");
        }
    }
}

/// A question with the key of the bridge.
async fn ask(node: &Node, path: &str) -> Value {
    let text = format!(
        "GET /internal/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Internal-Api-Key: {KEY}\r\nConnection: close\r\n\r\n"
    );
    let answer = node.raw(text.as_bytes()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_there_is_told_by_every_node_and_what_a_node_holds_by_itself() {
    let bed = Bed::redis().await.with("MAINSTAY_BRIDGE_KEY", KEY);
    let nodes = [bed.serve("one").await, bed.serve("two").await];
    let online = |count: u64| json!({ "userId": "owner", "isOnline": count > 0, "connectionCount": count });
    assert_eq!(ask(&nodes[0], "users/owner/online").await, online(0));
    let listeners = [Listener::to_room(&nodes[0]).await, Listener::to_room(&nodes[1]).await];
    let key = bed.json(&["key", "create", "reader", "--scope", "events:read", "--url", &nodes[0].url()]);
    let third = Listener::with(&nodes[0], key["token"].as_str().unwrap()).await;
    for node in &nodes {
        assert_eq!(ask(node, "users/owner/online").await, online(2));
        assert_eq!(ask(node, &format!("users/key:{}/online", key["id"].as_str().unwrap())).await["isOnline"], true);
        assert_eq!(ask(node, "users/nobody/online").await["isOnline"], false);
    }
    let message = json!({ "event_id": "e", "request_id": "42", "message": {} });
    assert_eq!(call(&nodes[1], "chat/message", &message).await.status, 200);
    third.until("e").await;
    let stats = ask(&nodes[0], "stats").await;
    assert_eq!(stats, json!({ "connections": 2, "users": 1, "rooms": 1, "idempotencyEntries": 1 }));
    drop((listeners, third));
    let gone = async {
        while ask(&nodes[1], "users/owner/online").await != online(0) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(SOON, gone).await.expect("who has left is not there any more");
    for path in ["stats", "users/owner/online"] {
        let text = format!("GET /internal/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
        assert_eq!(nodes[0].raw(text.as_bytes()).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn the_bridge_opens_for_its_key_alone_which_opens_nothing_else_and_is_told_nobody() {
    let bed = Bed::sqlite();
    let file = bed.sandbox.path().join("bridge.key");
    std::fs::write(&file, format!("{KEY}\n")).unwrap();
    let file: &'static str = String::leak(file.display().to_string());
    let (bed, closed) = (bed.with("MAINSTAY_BRIDGE_KEY_FILE", file).with("MAINSTAY_LOG", "trace"), Bed::sqlite());
    let (node, without) = (bed.serve("node").await, closed.serve("without").await);
    let body = json!({ "event_id": "e", "request_id": "42", "message": {} }).to_string();
    let key = |key: &str| format!("X-Internal-Api-Key: {key}\r\n");
    let owner = format!("Authorization: Bearer {OWNER_KEY}\r\n");
    for (node, head, status, code) in [
        (&node, String::new(), 401, "auth.credential_missing"),
        (&node, owner.clone(), 401, "auth.credential_missing"),
        (&node, key(""), 403, "auth.forbidden"),
        (&node, key("wrong"), 403, "auth.forbidden"),
        (&node, key(OWNER_KEY), 403, "auth.forbidden"),
        (&node, key(&KEY[1..]), 403, "auth.forbidden"),
        (&node, key(KEY) + &key("wrong"), 403, "auth.forbidden"),
        (&without, String::new(), 401, "auth.credential_missing"),
        (&without, key(""), 403, "auth.forbidden"),
        (&without, key(KEY), 403, "auth.forbidden"),
    ] {
        let answer = call_with(node, "chat/message", &head, &body).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (status, Some(code)), "{head:?}: {answer:?}");
        assert!(answer.json()["help"].as_str().unwrap().contains("MAINSTAY_BRIDGE_KEY"), "{answer:?}");
    }
    assert!(events(&node, "chat").await.is_empty() && events(&without, "chat").await.is_empty());
    let text = format!("GET /v1/events/chat HTTP/1.1\r\nHost: 127.0.0.1\r\n{}Connection: close\r\n\r\n", key(KEY));
    assert_eq!(node.raw(text.as_bytes()).await.status, 401, "the key opens the bridge alone");
    assert_eq!(call_with(&node, "chat/message", &key(KEY), &body).await.status, 200, "nobody need say that it is JSON");
    let said = node.process.errors();
    assert!(said.contains("/internal/chat/message") && !said.contains(KEY), "{said}");
}

#[tokio::test]
async fn a_call_that_cannot_be_taken_is_refused_with_its_place_and_in_bounds() {
    let bed = Bed::sqlite().with("MAINSTAY_BRIDGE_KEY", KEY);
    let node = bed.serve("node").await;
    for (path, mut body, _, _) in calls() {
        // An event that nobody can recognise again could be doubled.
        let answer = call(&node, path, &body).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (400, Some("request.invalid")), "{path}");
        assert!(answer.body.contains("event_id"), "{answer:?}");
        body["event_id"] = json!("e");
        let optional = ["event_id", "changed_by", "assigned_to_id", "sender_id", "ended_by"];
        for name in body.as_object().unwrap().keys().filter(|name| !optional.contains(&name.as_str())) {
            let mut broken = body.clone();
            broken.as_object_mut().unwrap().remove(name);
            let answer = call(&node, path, &broken).await;
            assert!(answer.status == 400 && answer.body.contains(name), "{path} without {name}: {answer:?}");
            broken[name] = json!([[]]);
            let answer = call(&node, path, &broken).await;
            assert!(answer.status == 400 && answer.body.contains(name), "{path}, {name} is a list: {answer:?}");
        }
    }
    let answer = call(&node, "chat/shout", &json!({})).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (404, Some("request.no_such_route")));
    assert!(answer.json()["valid_values"].as_array().unwrap().contains(&json!("chat/message")), "{answer:?}");
    let head = format!("X-Internal-Api-Key: {KEY}\r\n");
    for (body, status) in [("", 400), ("no json", 400), ("[]", 400), ("{\"event_id\":", 400)] {
        assert_eq!(call_with(&node, "chat/message", &head, body).await.status, status, "{body:?}");
    }
    let large = json!({ "event_id": "e", "request_id": "42", "message": { "text": "x".repeat(64 * 1_024) } });
    assert_eq!(call(&node, "chat/message", &large).await.status, 413);
    let hostile = json!({ "event_id": "e", "request_id": "x".repeat(600), "message": {} });
    assert_eq!(call(&node, "chat/message", &hostile).await.status, 400);
    // The events of the bridge are those of one namespace: another one is not taken for it in silence.
    let body = json!({ "event_id": "e", "request_id": "42", "message": {} }).to_string();
    let answer = call_with(&node, "chat/message", &format!("{head}Mainstay-Namespace: other\r\n"), &body).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (403, Some("auth.forbidden")), "{answer:?}");
    for stream in ["chat", "ticket", "notification", "remote"] {
        assert!(events(&node, stream).await.is_empty(), "nothing was written");
    }
}

#[tokio::test]
async fn typing_is_coalesced_as_the_variables_of_the_founding_system_say() {
    let off = ("EVENT_COALESCING_ENABLED", "false");
    // Longer than the test takes, so that nothing but the first of a window is stored.
    let wide = ("EVENT_COALESCING_WINDOW_MS", "5000");
    for ((variable, value), stored) in [(off, 6), (wide, 1)] {
        let bed = Bed::sqlite().with("INTERNAL_API_KEY", KEY).with(variable, value);
        let node = bed.serve("node").await;
        for n in 0..6 {
            let body =
                json!({ "event_id": format!("t{n}"), "request_id": "42", "user_id": "7", "is_typing": n % 2 == 0 });
            let answer = call(&node, "chat/typing", &body).await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        assert_eq!(events(&node, "chat").await.len(), stored, "{variable}");
    }
}
