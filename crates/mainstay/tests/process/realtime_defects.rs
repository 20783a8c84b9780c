//! The defects of the realtime system that Mainstay replaces, each as the promise that takes its place, tried on running
//! servers. Promises that are proven elsewhere are named here with the test that proves them:
//!
//! - 3, acknowledged whatever became of it, and lost with the consumer that had it: `what_a_consumer_leaves_alone_goes_to_
//!   another_before_anything_new` and `an_event_that_was_delivered_too_often_dies` of the conformance suite, on every store.
//! - 5, on every store, for groups that are ours: `crates/testkit/src/conformance/groups/trimming.rs`; and a reader's position,
//!   `events::a_position_that_cannot_be_continued_is_said_and_what_there_is_follows`, here in this folder.
//! - 6, a fallback, a share and a choice that no code had: `transports`, here in this folder, all of it;
//!   `a_node_that_stands_still_is_passed_by_in_time_…` is the fallback.
//! - 7, typing that never showed while somebody typed on, and two who stood for each other: the tests of
//!   `crates/hub/src/live/typing.rs`.
//! - 11, one loop for each stream that held up the others: `waits_do_not_hold_each_other_or_anybody_else_up` of the
//!   conformance suite. A list of events is acknowledged in one step: `what_is_acknowledged_is_done`.

use crate::bed::{Bed, OWNER_KEY};
use crate::bridge::{KEY, call, events};
use crate::listener::{Listener, ROOM};
use crate::node::Node;
use mainstay_api::events::{PublishEvent, PublishEvents, StreamName};
use mainstay_client::publisher::{BridgeTransport, EventTransport, StreamTransport};
use mainstay_client::{ClientOptions, Credential};
use serde_json::{Value, json};
use std::time::Duration;

/// A way to publish an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Command,
    Library,
    Http,
    Bridge,
    Mcp,
}

const WAYS: [Way; 5] = [Way::Command, Way::Library, Way::Http, Way::Bridge, Way::Mcp];

/// Publishes an event on a way; says whether it was taken for a repetition.
async fn publish(bed: &Bed, node: &Node, way: Way, id: &str) -> bool {
    let event = json!({ "id": id, "type": "chat_message", "room": ROOM, "payload": { "content": id } });
    let said = match way {
        Way::Command => {
            let events = json!([event]).to_string();
            bed.json(&["events", "publish", "chat", "--events", &events, "--url", &node.url()])["events"][0].clone()
        }
        Way::Library => {
            let publish = PublishEvents { events: vec![serde_json::from_value(event).unwrap()] };
            let stream = StreamName::parse("chat").unwrap();
            let published = node.client("me", 0).events().publish(&stream, &publish, None).await.unwrap();
            json!({ "duplicate": published.events[0].duplicate })
        }
        Way::Http => {
            let answer = node.request("POST", "/v1/events/chat", &event.to_string()).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            answer.json()["events"][0].clone()
        }
        Way::Bridge => {
            let body = json!({ "event_id": id, "request_id": "42", "message": { "content": id } });
            let answer = call(node, "chat/message", &body).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            answer.json()
        }
        Way::Mcp => json!({ "duplicate": over_mcp(node, &event).await }),
    };
    said["duplicate"].as_bool().unwrap_or_default()
}

async fn over_mcp(node: &Node, event: &Value) -> bool {
    let arguments = json!({ "stream": "chat", "events": [event] });
    let params = json!({ "name": "events_publish", "arguments": arguments });
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string();
    let length = message.len();
    let text = format!(
        "POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {OWNER_KEY}\r\nmainstay-instance: me\r\n\
         accept: application/json, text/event-stream\r\nmcp-protocol-version: 2025-11-25\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{message}"
    );
    let answer = node.raw(text.as_bytes()).await;
    assert!(answer.status == 200 && answer.body.contains("\"structuredContent\""), "{answer:?}");
    answer.body.contains("\"duplicate\":true")
}

/// What another program does.
async fn add(bed: &Bed, id: &str) {
    let event = ["event_id", id, "event_type", "chat_message", "room_id", ROOM, "payload", "{}"];
    bed.server().cli(&[&["XADD", "events:chat", "*"], &event[..]].concat()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn defect_1_every_node_tells_its_clients_of_every_event_wherever_it_came_from() {
    let bed = Bed::redis().await.with("MAINSTAY_BRIDGE_KEY", KEY);
    let nodes = [bed.serve("one").await, bed.serve("two").await];
    let listeners =
        [Listener::to_room(&nodes[0]).await, Listener::to_room(&nodes[1]).await, Listener::to_room(&nodes[1]).await];
    let mut expected = Vec::new();
    for way in WAYS {
        for node in &nodes {
            let id = format!("{way:?} {}", node.port);
            assert!(!publish(&bed, node, way, &id).await);
            expected.push(id);
        }
    }
    add(&bed, "XADD").await;
    expected.push("XADD".to_owned());
    for listener in &listeners {
        assert_eq!(listener.until("XADD").await, expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn defect_2_a_node_waits_for_events_and_does_not_ask_for_them_over_and_over() {
    let bed = Bed::redis().await;
    let node = bed.serve("node").await;
    let listener = Listener::to_room(&node).await;
    let asked = async || {
        let stats = bed.server().info("commandstats").await.unwrap();
        let calls = |line: &str| -> Option<u64> {
            let line = line.strip_prefix("cmdstat_")?;
            let reads = ["xread:", "xrange:", "evalsha:"].iter().any(|name| line.starts_with(name));
            reads.then(|| line.split_once("calls=")?.1.split(',').next()?.parse().ok()).flatten()
        };
        stats.lines().filter_map(calls).sum::<u64>()
    };
    // It looks once more when it begins to wait.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = asked().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let meanwhile = asked().await - before;
    assert!(meanwhile < 5, "{meanwhile} questions while nothing happened: one every 100 ms were ten");
    add(&bed, "at once").await;
    listener.until("at once").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn defect_4_what_another_program_adds_twice_is_told_once() {
    let bed = Bed::redis().await;
    let nodes = [bed.serve("one").await, bed.serve("two").await];
    let listeners = [Listener::to_room(&nodes[0]).await, Listener::to_room(&nodes[1]).await];
    for id in ["a", "b", "a", "c", "b"] {
        add(&bed, id).await;
    }
    assert!(!publish(&bed, &nodes[0], Way::Http, "d").await);
    add(&bed, "d").await;
    add(&bed, "e").await;
    for listener in &listeners {
        assert_eq!(listener.until("e").await, ["a", "b", "c", "d", "e"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn defect_4_an_event_that_came_on_one_way_is_recognised_on_every_other() {
    for bed in [Bed::sqlite(), Bed::redis().await] {
        let bed = bed.with("MAINSTAY_BRIDGE_KEY", KEY);
        let nodes = [bed.serve("one").await, bed.serve("two").await];
        for first in WAYS {
            let id = format!("{first:?}");
            assert!(!publish(&bed, &nodes[0], first, &id).await, "{first:?}");
            for (nth, again) in WAYS.into_iter().enumerate() {
                let repeated = publish(&bed, &nodes[nth % 2], again, &id).await;
                assert!(repeated, "what came by {first:?} is new to {again:?}");
            }
        }
        let stored = events(&nodes[1], "chat").await;
        let ids: Vec<&str> = stored.iter().map(|event| event["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["Command", "Library", "Http", "Bridge", "Mcp"]);
        assert!(stored.iter().all(|event| event["room"] == ROOM && event["payload"]["content"] == event["id"]));
    }
}

/// A hundred events that begin with a name.
fn hundred(name: &str) -> String {
    let event = |n: usize| json!({ "id": format!("{name}-{n}"), "type": "a", "room": "r", "payload": {} });
    json!({ "events": (0..100).map(event).collect::<Vec<_>>() }).to_string()
}

#[tokio::test]
async fn defect_5_what_is_trimmed_before_a_group_has_read_it_is_counted_and_logged_or_refused() {
    let bed = Bed::redis().await.with("MAINSTAY_STREAMS", "small max_len=100, kept max_len=100 trimming=refuse");
    let node = bed.serve("node").await;
    for stream in ["small", "kept"] {
        let key = format!("events:{stream}");
        bed.server().cli(&["XGROUP", "CREATE", &key, "billing", "0", "MKSTREAM"]).await.unwrap();
        let answer = node.request("POST", &format!("/v1/events/{stream}"), &hundred("a")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let trimmed = async || {
        let metrics = node.get("/metrics").await.body;
        let line =
            metrics.lines().find(|line| line.starts_with("mainstay_event_trimmed_unread_total{stream=\"small\"}"));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).unwrap_or_default()
    };
    assert_eq!(trimmed().await, 0);
    assert_eq!(node.request("POST", "/v1/events/small", &hundred("b")).await.status, 200);
    assert_eq!((trimmed().await, events(&node, "small").await.len()), (100, 100));
    let logged = node.process.errors();
    assert!(logged.contains("events were trimmed that a consumer group had not read"), "{logged}");

    let refused = node.request("POST", "/v1/events/kept", &hundred("b")).await;
    assert_eq!((refused.status, refused.json()["code"].as_str()), (429, Some("events.backlog")), "{refused:?}");
    assert!(refused.body.contains("billing"), "it says who is behind: {refused:?}");
    let kept = events(&node, "kept").await;
    assert_eq!((kept.len(), &kept[0]["id"]), (100, &json!("a-0")), "nothing was lost, and nothing was added");
    let read = ["XREADGROUP", "GROUP", "billing", "one", "COUNT", "100", "STREAMS", "events:kept", ">"];
    bed.server().cli(&read).await.unwrap();
    for event in kept {
        let (_, place) = event["position"].as_str().unwrap().split_once(':').unwrap();
        bed.server().cli(&["XACK", "events:kept", "billing", place]).await.unwrap();
    }
    assert_eq!(node.request("POST", "/v1/events/kept", &hundred("b")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn defect_8_each_event_is_counted_once_on_every_way() {
    let bed = Bed::sqlite().with("MAINSTAY_BRIDGE_KEY", KEY);
    let node = bed.serve("node").await;
    for way in WAYS {
        for again in [false, true] {
            assert_eq!(publish(&bed, &node, way, &format!("{way:?}")).await, again);
        }
    }
    let broken = r#"{"type":"chat_message","room":"r","payload":7}"#;
    assert_eq!(node.request("POST", "/v1/events/chat", broken).await.status, 400);
    let metrics = node.get("/metrics").await.body;
    for (transport, status, count) in [
        ("stream", "success", 3),
        ("stream", "duplicate", 3),
        ("stream", "failure", 1),
        ("http", "success", 1),
        ("http", "duplicate", 1),
        ("mcp", "success", 1),
        ("mcp", "duplicate", 1),
    ] {
        let labels = format!("transport=\"{transport}\",event_type=\"chat_message\",status=\"{status}\"");
        let line = format!("events_published_total{{{labels}}} {count}\n");
        assert!(metrics.contains(&line), "{line}{metrics}");
    }
    for (transport, count) in [("stream", 7), ("http", 2), ("mcp", 2)] {
        let labels = format!("transport=\"{transport}\",event_type=\"chat_message\"");
        let line = format!("event_publish_duration_seconds_count{{{labels}}} {count}\n");
        assert!(metrics.contains(&line), "{line}{metrics}");
    }
}

/// An event as a publisher has it.
fn event(id: &str, kind: &str, room: &str, payload: &Value) -> PublishEvent {
    let event = json!({ "id": id, "type": kind, "room": room, "payload": payload, "metadata": { "trace_id": "t" },
        "timestamp": "2026-01-16T10:00:00.123Z" });
    serde_json::from_value(event).unwrap()
}

#[tokio::test]
async fn defect_9_control_and_reconnection_are_no_end_of_a_session() {
    for bed in [Bed::sqlite(), Bed::redis().await] {
        let bed = bed.with("MAINSTAY_BRIDGE_KEY", KEY);
        let node = bed.serve("node").await;
        let session = json!({ "sessionId": "s", "agentId": "8", "requestId": "42" });
        for path in ["remote-access/auto-start", "remote-access/reconnect"] {
            let body = json!({ "event_id": path, "requester_id": "7", "session": session });
            assert_eq!(call(&node, path, &body).await.status, 200);
        }
        let control =
            event("control", "remote_control_mode", "remote-access:s", &json!({ "sessionId": "s", "enabled": true }));
        let streams = StreamTransport::new(node.client("publisher", 0));
        streams.send(&StreamName::parse("remote").unwrap(), &control).await.unwrap();
        let ended = json!({ "event_id": "end", "session_id": "s", "reason": "left" });
        assert_eq!(call(&node, "remote-access/ended", &ended).await.status, 200);
        let stored = events(&node, "remote").await;
        let kinds: Vec<&str> = stored.iter().map(|event| event["type"].as_str().unwrap()).collect();
        let told = ["remote_session_start", "remote_session_reconnect", "remote_control_mode", "remote_session_end"];
        assert_eq!(kinds, told);
    }
}

#[tokio::test]
async fn defect_10_an_event_has_one_name_and_one_form_whichever_way_it_took() {
    let told = [
        ("chat", "chat_message", "request:42", json!({ "id": "m", "senderId": "7", "content": "hé" })),
        ("chat", "system_message", "request:42", json!({ "id": "m" })),
        ("ticket", "ticket_update", "request:42", json!({ "type": "p", "data": { "a": 1 }, "requestId": "42" })),
        ("ticket", "status_change", "request:42", json!({ "request_id": "42", "old_status": "a", "new_status": "b" })),
        ("ticket", "assignment_change", "request:42", json!({ "request_id": "42", "assignee_id": null })),
        ("ticket", "new_ticket", "user-tickets:7", json!({ "id": "42" })),
        ("notification", "notification", "notifications:7", json!({ "title": "t" })),
        ("notification", "new_message_notification", "request-notifications:42", json!({ "id": "m" })),
    ];
    for bed in [Bed::sqlite(), Bed::redis().await] {
        let bed = bed.with("MAINSTAY_BRIDGE_KEY", KEY);
        let node = bed.serve("node").await;
        let streams = StreamTransport::new(node.client("publisher", 0));
        let key = Credential::new(KEY);
        let bridge = BridgeTransport::connect(&node.url(), key, ClientOptions::default()).unwrap();
        let ways: [&dyn EventTransport; 2] = [&streams, &bridge];
        for (stream, kind, room, payload) in &told {
            for (nth, way) in ways.iter().enumerate() {
                let event = event(&format!("{kind}-{nth}"), kind, room, payload);
                way.send(&StreamName::parse(*stream).unwrap(), &event).await.unwrap();
            }
        }
        for stream in ["chat", "ticket", "notification"] {
            let stored = events(&node, stream).await;
            assert_eq!(stored.len(), 2 * told.iter().filter(|told| told.0 == stream).count());
            for pair in stored.chunks(2) {
                let form = |event: &Value| {
                    let mut event = event.clone();
                    // What tells the two apart, and what a call of the bridge says in a place of its own.
                    ["id", "position"].iter().for_each(|name| drop(event.as_object_mut().unwrap().remove(*name)));
                    event["metadata"].as_object_mut().unwrap().remove("system_type");
                    event
                };
                assert_eq!(form(&pair[0]), form(&pair[1]));
            }
        }
    }
}

#[tokio::test]
async fn defect_12_a_credential_in_an_address_opens_live_connections_alone_and_is_logged_nowhere() {
    let bed = Bed::sqlite().with("MAINSTAY_LOG", "trace");
    let node = bed.serve("node").await;
    let ask = async |method: &str, path: &str| {
        let text = format!(
            "{method} {path}?access_token={OWNER_KEY} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 0\r\n\
             connection: close\r\n\r\n"
        );
        node.raw(text.as_bytes()).await.status
    };
    for (method, path) in [("GET", "/v1/events/chat"), ("GET", "/v1/whoami"), ("POST", "/mcp"), ("GET", "/metrics")] {
        assert_eq!(ask(method, path).await, 401, "{path}");
    }
    assert_eq!(ask("POST", "/hubs/events/negotiate").await, 200);
    let said = node.process.errors();
    assert!(said.contains("/hubs/events/negotiate"), "{said}");
    assert!(!said.contains(OWNER_KEY), "{said}");
}
