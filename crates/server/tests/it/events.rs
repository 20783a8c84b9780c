//! Publishing and reading over HTTP, and the bridge.

use crate::support::{Call, Setup, Site};
use http::{Method, StatusCode};
use mainstay_server::BridgeKey;
use serde_json::{Value, json};

const BRIDGE: &str = "the key of the bridge";

async fn bridged() -> Site {
    let mut setup = Setup::default();
    setup.config.bridge_key = Some(BridgeKey::new(BRIDGE));
    Site::start_with(setup).await
}

fn bridge(path: &str, body: Value) -> Call {
    Call::anonymous(Method::POST, &format!("/internal/{path}"))
        .header("x-internal-api-key", BRIDGE)
        .body(body.to_string())
}

async fn events(site: &Site, stream: &str) -> Vec<Value> {
    let page = site.call(Call::get(&format!("/v1/events/{stream}?limit=1000"))).await.ok().await;
    page["events"].as_array().unwrap().clone()
}

#[tokio::test]
async fn one_event_or_a_list_is_published_and_read_from_its_position() {
    let site = Site::start().await;
    let one = json!({ "type": "chat_message", "room": "request:42", "payload": { "text": "hello" } });
    let published = site.call(Call::post("/v1/events/chat", one.clone())).await.ok().await;
    let first = &published["events"][0];
    assert!(first["position"].is_string() && first.get("duplicate").is_none(), "{published}");
    let mut two = one.clone();
    two["id"] = json!("e2");
    two["metadata"] = json!({ "trace_id": "t", "own": [1] });
    let several = json!({ "events": [two, one] });
    let published = site.call(Call::post("/v1/events/chat", several)).await.ok().await;
    assert_eq!(published["events"].as_array().unwrap().len(), 2);
    let path = format!("/v1/events/chat?from={}", first["position"].as_str().unwrap());
    let page = site.call(Call::get(&path)).await.ok().await;
    assert_eq!(page["events"][0]["id"], "e2");
    assert_eq!(page["events"][0]["metadata"], json!({ "trace_id": "t", "own": [1] }));
    assert_eq!(
        (&page["more"], page["position"].as_str()),
        (&json!(false), published["events"][1]["position"].as_str())
    );
    let streams = site.call(Call::get("/v1/events/streams")).await.ok().await;
    let chat = streams["streams"].as_array().unwrap().iter().find(|stream| stream["name"] == "chat").unwrap();
    assert_eq!((&chat["length"], &chat["redis_key"]), (&json!(3), &json!("events:chat")));
}

#[tokio::test]
async fn a_repeated_call_with_an_idempotency_key_publishes_once() {
    let site = Site::start().await;
    let event = json!({ "type": "a", "room": "b", "payload": {} });
    for repeated in [false, true] {
        let call = Call::post("/v1/events/chat", event.clone()).header("idempotency-key", "k1");
        let published = site.call(call).await.ok().await;
        assert_eq!(published["events"][0]["duplicate"].as_bool().unwrap_or_default(), repeated);
    }
    assert_eq!(events(&site, "chat").await.len(), 1);
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_its_place() {
    let site = Site::start().await;
    let event = json!({ "type": "a", "room": "b", "payload": {} });
    let unknown = site.call(Call::post("/v1/events/chats", event)).await.problem("events.stream_unknown").await;
    assert!(unknown["valid_values"].as_array().unwrap().contains(&json!("chat")));
    for broken in [
        json!({ "type": "a", "room": "b" }),
        json!({ "type": "a b", "room": "b", "payload": {} }),
        json!({ "type": "a", "room": "b", "payload": 7 }),
        json!({ "events": [] }),
        json!({ "events": [{ "type": "a", "room": "", "payload": {} }] }),
    ] {
        site.call(Call::post("/v1/events/chat", broken)).await.problem("request.invalid").await;
    }
    site.call(Call::get("/v1/events/chat?from=yesterday")).await.problem("request.invalid").await;
    let reader = site.key(&["events:read"]).await.token;
    site.call(Call::get("/v1/events/chat").with(&reader)).await.problem("auth.forbidden").await;
    site.call(Call::get("/v1/events/chat?room=user:7").with(&reader)).await.problem("events.room_forbidden").await;
    site.call(Call::get("/v1/events/chat?room=request:7").with(&reader)).await.ok().await;
}

#[tokio::test]
async fn the_transport_is_shown_and_changed_and_the_change_is_recorded() {
    let site = Site::start().await;
    let shown = site.call(Call::get("/v1/events/transport")).await.ok().await;
    assert_eq!(shown, json!({ "version": 0 }));
    let change = json!({ "settings": { "use_streams": true, "percentage": 50 }, "expected_version": 0 });
    let put = |body: &Value| Call::new(Method::PUT, "/v1/events/transport").body(body.to_string());
    let changed = site.call(put(&change)).await.ok().await;
    assert_eq!((&changed["version"], &changed["settings"]["fallback"]), (&json!(1), &json!(true)));
    let conflict = site.call(put(&change)).await.problem("events.transport_conflict").await;
    assert_eq!(conflict["current_version"], 1);
    let entries = site.call(Call::get("/v1/audit/entries?action=events.transport")).await.ok().await;
    assert!(!entries["items"].as_array().unwrap().is_empty(), "{entries}");
}

#[tokio::test]
async fn every_call_of_the_bridge_is_an_event_in_its_room_and_a_repetition_is_none() {
    let site = bridged().await;
    let session = json!({ "sessionId": "s", "agentId": "8", "requestId": "42" });
    let calls = [
        ("chat/message", json!({ "request_id": "42", "message": { "id": "m" } }), "chat", "chat_message", "request:42"),
        (
            "chat/typing",
            json!({ "request_id": "42", "user_id": "7", "is_typing": false }),
            "chat",
            "typing_stop",
            "request:42",
        ),
        (
            "chat/read-status",
            json!({ "request_id": "42", "user_id": "7", "message_ids": ["m"] }),
            "chat",
            "read_receipt",
            "request:42",
        ),
        (
            "ticket/update",
            json!({ "request_id": "42", "update": { "type": "t", "data": {}, "requestId": "42" } }),
            "ticket",
            "ticket_update",
            "request:42",
        ),
        (
            "ticket/task-status",
            json!({ "request_id": "42", "status": "done" }),
            "ticket",
            "task_status_changed",
            "request:42",
        ),
        (
            "ticket/new",
            json!({ "ticket": { "id": "42" }, "requester_id": "7" }),
            "ticket",
            "new_ticket",
            "user-tickets:7",
        ),
        (
            "ticket/system-message",
            json!({ "request_id": "42", "type": "t", "message": {} }),
            "chat",
            "system_message",
            "request:42",
        ),
        (
            "notification/new-message",
            json!({ "request_id": "42", "message": {} }),
            "notification",
            "new_message_notification",
            "request-notifications:42",
        ),
        (
            "notification/send",
            json!({ "user_id": "7", "notification": {} }),
            "notification",
            "notification",
            "notifications:7",
        ),
        (
            "notification/subscription-added",
            json!({ "user_id": "7", "request_id": "42" }),
            "notification",
            "subscription_added",
            "notifications:7",
        ),
        (
            "notification/subscription-removed",
            json!({ "user_id": "7", "request_id": "42" }),
            "notification",
            "subscription_removed",
            "notifications:7",
        ),
        (
            "remote-access/auto-start",
            json!({ "requester_id": "7", "session": session }),
            "remote",
            "remote_session_start",
            "user:7",
        ),
        (
            "remote-access/ended",
            json!({ "session_id": "s", "reason": "left" }),
            "remote",
            "remote_session_end",
            "remote-access:s",
        ),
        (
            "remote-access/reconnect",
            json!({ "requester_id": "7", "session": session }),
            "remote",
            "remote_session_reconnect",
            "notifications:7",
        ),
        (
            "remote-access/uac-detected",
            json!({ "session_id": "s", "agent_id": "8" }),
            "remote",
            "uac_detected",
            "remote-access:s",
        ),
        (
            "remote-access/uac-dismissed",
            json!({ "session_id": "s", "agent_id": "8" }),
            "remote",
            "uac_dismissed",
            "remote-access:s",
        ),
    ];
    for (path, mut body, stream, kind, room) in calls {
        body["event_id"] = json!(path);
        assert_eq!(site.call(bridge(path, body.clone())).await.ok().await, json!({ "broadcast": true }), "{path}");
        let again = site.call(bridge(path, body)).await.ok().await;
        // Of who types and of what was read, a repetition may be held back, and is recognised after that.
        let passing = ["chat/typing", "chat/read-status"].contains(&path);
        assert!(passing || again == json!({ "duplicate": true }), "{path}: {again}");
        let stored: Vec<_> = events(&site, stream).await.into_iter().filter(|event| event["id"] == path).collect();
        let [event] = stored.as_slice() else { panic!("{path}: {stored:?}") };
        assert_eq!((&event["type"], &event["room"]), (&json!(kind), &json!(room)), "{path}");
    }
}

#[tokio::test]
async fn the_bridge_lets_in_its_key_alone_and_nobody_without_one() {
    let body = json!({ "event_id": "e", "request_id": "42", "message": {} });
    let site = bridged().await;
    let call = |key: &str| {
        Call::anonymous(Method::POST, "/internal/chat/message").header("x-internal-api-key", key).body(body.to_string())
    };
    let missing = Call::new(Method::POST, "/internal/chat/message").body(body.to_string());
    site.call(missing).await.problem("auth.credential_missing").await;
    for wrong in ["", "wrong", crate::support::KEY] {
        assert_eq!(site.call(call(wrong)).await.status, StatusCode::FORBIDDEN, "{wrong}");
    }
    let twice = call(BRIDGE).header("x-internal-api-key", "wrong");
    site.call(twice).await.problem("auth.forbidden").await;
    assert!(events(&site, "chat").await.is_empty());
    let closed = Site::start().await;
    let refused = closed.call(call("")).await.problem("auth.forbidden").await;
    assert!(refused["help"].as_str().unwrap().contains("MAINSTAY_BRIDGE_KEY"), "{refused}");
    let listed = Call::anonymous(Method::GET, "/v1/events/chat").header("x-internal-api-key", BRIDGE);
    site.call(listed).await.problem("auth.credential_missing").await;
}

#[tokio::test]
async fn a_call_that_the_bridge_does_not_know_or_that_lacks_something_is_refused() {
    let site = bridged().await;
    let unknown = site.call(bridge("chat/shout", json!({}))).await.problem("request.no_such_route").await;
    assert!(unknown["valid_values"].as_array().unwrap().contains(&json!("chat/message")));
    let refused = site.call(bridge("chat/message", json!({ "event_id": "e", "request_id": "42" }))).await;
    assert!(refused.problem("request.invalid").await["detail"].as_str().unwrap().contains("message"));
}
