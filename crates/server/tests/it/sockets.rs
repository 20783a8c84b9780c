//! The WebSocket: subscriptions, resuming, publishing, and what clients may not do to others.

use crate::support::socket::{Socket, listen};
use crate::support::{Call, KEY, SOON, Setup, Site};
use futures::SinkExt;
use mainstay_server::{LiveRules, OwnerKey, ServerConfig};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio_tungstenite::tungstenite::Message;

async fn with_rules(rules: LiveRules) -> Site {
    let config = ServerConfig { live: rules, ..ServerConfig::new(OwnerKey::new(KEY)) };
    Site::start_with(Setup { config, ..Setup::default() }).await
}

async fn publish(site: &Site, room: &str, numbers: impl IntoIterator<Item = u64>) {
    let events: Vec<Value> =
        numbers.into_iter().map(|n| json!({ "type": "said", "room": room, "payload": { "n": n } })).collect();
    for events in events.chunks(100) {
        site.call(Call::post("/v1/events/chat", json!({ "events": events }))).await.ok().await;
    }
}

#[tokio::test]
async fn what_is_published_reaches_who_subscribed_and_a_position_is_resumed() {
    let site = Site::start().await;
    let address = listen(&site).await;
    let mut socket = Socket::open(address).await;
    let begun = socket.subscribe("request:42", None).await;
    assert!(begun.get("gap").is_none(), "{begun}");
    publish(&site, "request:42", 1..=3).await;
    publish(&site, "request:43", [9]).await;
    let first = socket.expect("event").await;
    assert_eq!(
        (&first["room"], &first["type"], &first["stream"]),
        (&json!("request:42"), &json!("said"), &json!("chat"))
    );
    assert_eq!(socket.numbers(2).await, [2, 3]);
    drop(socket);
    publish(&site, "request:42", 4..=6).await;
    let mut again = Socket::open(address).await;
    again.subscribe("request:42", first["position"].as_str()).await;
    publish(&site, "request:42", 7..=8).await;
    assert_eq!(again.numbers(7).await, [2, 3, 4, 5, 6, 7, 8]);
    again.say(json!({ "op": "unsubscribe", "stream": "chat", "room": "request:42" })).await;
    again.expect("unsubscribed").await;
    publish(&site, "request:42", [9]).await;
    again.say(json!({ "op": "ping", "id": 7 })).await;
    assert_eq!(again.expect("pong").await["id"], 7);
    let metrics = site.call(Call::get("/metrics")).await.text().await;
    for line in [
        r#"event_delivery_duration_seconds_count{transport="websocket",event_type="other"} 10"#,
        r#"mainstay_event_connections{transport="websocket"} "#,
        "mainstay_event_queue_bytes 0",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
}

#[tokio::test]
async fn a_position_that_was_trimmed_is_a_gap_and_the_room_goes_on() {
    let site = Site::start().await;
    let address = listen(&site).await;
    publish(&site, "r", 1..=20).await;
    let mut socket = Socket::open(address).await;
    let begun = socket.subscribe("r", Some("another:5-0")).await;
    assert_eq!(begun["gap"], "new_epoch");
    publish(&site, "r", [21]).await;
    assert_eq!(socket.numbers(1).await, [21]);
}

#[tokio::test]
async fn a_list_of_messages_is_answered_in_its_order_and_what_is_wrong_costs_only_itself() {
    let site = Site::start().await;
    let mut socket = Socket::open(listen(&site).await).await;
    let subscribe = |room: &str| json!({ "op": "subscribe", "id": 1, "stream": "chat", "room": room });
    socket
        .say(json!([subscribe("a"), { "op": "subscribe", "id": 2, "stream": "none", "room": "a" }, subscribe("b")]))
        .await;
    assert_eq!(socket.expect("subscribed").await["room"], "a");
    let problem = socket.expect("problem").await;
    assert_eq!((&problem["id"], &problem["problem"]["code"]), (&json!(2), &json!("events.stream_unknown")));
    assert_eq!(socket.expect("subscribed").await["room"], "b");
    for hostile in ["", "{", "[]]", "null", "{\"op\":\"fly\"}", "{\"op\":\"subscribe\"}", "{\"op\":\"ping\",\"x\":1}"] {
        socket.stream.send(Message::text(hostile)).await.unwrap();
        assert_eq!(socket.expect("problem").await["problem"]["code"], "request.invalid", "{hostile}");
    }
    let many: Vec<Value> = (0..65).map(|_| json!({ "op": "ping" })).collect();
    socket.say(many.into()).await;
    socket.expect("problem").await;
    socket
        .say(json!({ "op": "publish", "id": 3, "stream": "chat", "events": [
        { "type": "said", "room": "b", "payload": { "n": 5 } } ] }))
        .await;
    let mut told = [socket.next().await.unwrap(), socket.next().await.unwrap()];
    told.sort_by_key(|message| message["op"].as_str().unwrap().to_owned());
    assert_eq!((&told[0]["payload"]["n"], &told[1]["op"]), (&json!(5), &json!("published")));
    assert_eq!(told[0]["position"], told[1]["events"][0]["position"]);
}

#[tokio::test]
async fn typing_reaches_the_others_coalesced_and_never_its_author() {
    let site = Site::start().await;
    let address = listen(&site).await;
    let (mut author, mut other) = (Socket::open(address).await, Socket::open(address).await);
    author.subscribe("r", None).await;
    other.subscribe("r", None).await;
    for n in 0..20 {
        author.say(json!({ "op": "typing", "stream": "chat", "room": "r", "is_typing": n % 2 == 0 })).await;
    }
    let first = other.expect("event").await;
    assert_eq!((&first["type"], &first["metadata"]["origin"]), (&json!("typing_start"), &author.welcome["connection"]));
    let mut stood_for = 1;
    loop {
        let event = other.expect("event").await;
        stood_for += event["metadata"]["coalesced_count"].as_u64().unwrap_or(1);
        if stood_for == 20 {
            assert_eq!(event["type"], "typing_stop", "the last state arrives");
            break;
        }
    }
    assert!(site.services.coalesced() > 0);
    publish(&site, "r", [1]).await;
    assert_eq!(author.numbers(1).await, [1], "its own typing did not come back");
}

#[tokio::test]
async fn who_is_present_shows_until_the_socket_ends() {
    let site = Site::start().await;
    let address = listen(&site).await;
    let (mut one, mut two) = (Socket::open(address).await, Socket::open(address).await);
    one.say(json!({ "op": "subscribe", "stream": "chat", "room": "r", "present": true, "info": { "name": "One" } }))
        .await;
    one.expect("subscribed").await;
    let ask = json!({ "op": "presence", "id": 4, "stream": "chat", "room": "r" });
    two.say(ask.clone()).await;
    let there = two.expect("presence").await;
    assert_eq!(there["presence"]["present"][0]["info"]["name"], "One", "{there}");
    drop(one);
    loop {
        two.say(ask.clone()).await;
        if two.expect("presence").await["presence"]["present"] == json!([]) {
            break;
        }
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_is_closed_and_the_others_have_everything() {
    let site = with_rules(LiveRules { queue_bytes: 64 * 1_024, ..LiveRules::default() }).await;
    let address = listen(&site).await;
    let (mut slow, mut quick) = (Socket::open(address).await, Socket::open(address).await);
    slow.subscribe("r", None).await;
    quick.subscribe("r", None).await;
    let reading = tokio::spawn(async move { quick.numbers(800).await });
    let filler = "x".repeat(20_000);
    for n in 1..=800 {
        let event = json!({ "type": "said", "room": "r", "payload": { "n": n, "filler": filler } });
        site.call(Call::post("/v1/events/chat", event)).await.ok().await;
    }
    assert!(reading.await.unwrap().into_iter().eq(1..=800));
    assert_eq!(site.services.live.counts().slow, 1);
    assert_eq!(slow.closed().await, 4529, "come back from your position");
}

#[tokio::test]
async fn frames_that_are_too_large_or_no_text_end_the_socket_for_good() {
    let site = with_rules(LiveRules { max_message_bytes: 1_000, ..LiveRules::default() }).await;
    let address = listen(&site).await;
    let hostile = [(Message::text("x".repeat(1_001)), 4413), (Message::binary(vec![1, 2, 3]), 4400)];
    for (message, code) in hostile {
        let mut socket = Socket::open(address).await;
        // The server may close it before everything is written.
        let _sent = socket.stream.send(message).await;
        assert_eq!(socket.closed().await, code);
    }
}

#[tokio::test]
async fn a_silent_client_is_closed_and_one_that_answers_pings_is_not() {
    let rules = LiveRules {
        keep_alive: Duration::from_millis(50),
        idle_timeout: Duration::from_millis(600),
        ..LiveRules::default()
    };
    let site = with_rules(rules).await;
    let address = listen(&site).await;
    let (mut silent, mut answering) = (Socket::open(address).await, Socket::open(address).await);
    answering.subscribe("r", None).await;
    // The library answers pings; the other client reads what comes, and does not.
    let waiting = tokio::spawn(async move { answering.numbers(1).await });
    let mut said = Vec::new();
    let reading = silent.stream.get_mut().read_to_end(&mut said);
    tokio::time::timeout(SOON, reading).await.expect("it is closed").unwrap();
    let close = said.windows(4).position(|bytes| bytes[0] == 0x88 && bytes[2..4] == 4508_u16.to_be_bytes());
    assert!(close.is_some(), "{said:x?}");
    publish(&site, "r", [1]).await;
    assert_eq!(waiting.await.unwrap(), [1]);
}

#[tokio::test]
async fn a_quiet_room_moves_on_with_its_stream_so_that_its_position_can_be_resumed() {
    let site = with_rules(LiveRules { keep_alive: Duration::from_millis(50), ..LiveRules::default() }).await;
    let mut socket = Socket::open(listen(&site).await).await;
    let begun = socket.subscribe("quiet", None).await;
    publish(&site, "loud", 1..=5).await;
    let moved = socket.expect("position").await;
    assert_eq!(moved["room"], "quiet");
    assert_ne!(moved["position"], begun["position"]);
}

#[tokio::test]
async fn a_revoked_key_loses_its_socket_and_may_not_come_back() {
    let rules = LiveRules { keep_alive: Duration::from_millis(100), ..LiveRules::default() };
    let site = with_rules(rules).await;
    let address = listen(&site).await;
    let key = site.key(&["events:read"]).await;
    let mut socket = Socket::open_with(address, &key.token).await.unwrap();
    socket.subscribe("r", None).await;
    socket
        .say(json!({ "op": "publish", "stream": "chat", "events": [
        { "type": "said", "room": "r", "payload": {} } ] }))
        .await;
    assert_eq!(socket.expect("problem").await["problem"]["code"], "auth.forbidden");
    socket.say(json!({ "op": "subscribe", "stream": "chat", "room": "user:7" })).await;
    assert_eq!(socket.expect("problem").await["problem"]["code"], "events.room_forbidden");
    let revoke = Call::new(http::Method::DELETE, &format!("/v1/keys/{}", key.key.id));
    site.call(revoke).await;
    assert_eq!(socket.closed().await, 4401);
    assert_eq!(Socket::open_with(address, &key.token).await.err(), Some(401));
}

#[tokio::test]
async fn a_principal_has_no_more_sockets_than_it_may_and_no_more_rooms() {
    let site = with_rules(LiveRules { max_per_principal: 1, max_subscriptions: 1, ..LiveRules::default() }).await;
    let address = listen(&site).await;
    let key = site.key(&["events:read"]).await;
    let mut first = Socket::open_with(address, &key.token).await.unwrap();
    assert_eq!(Socket::open_with(address, &key.token).await.err(), Some(503));
    let _owner = Socket::open(address).await;
    first.subscribe("a", None).await;
    first.say(json!({ "op": "subscribe", "stream": "chat", "room": "b" })).await;
    first.expect("problem").await;
    first.subscribe("a", None).await;
}

#[tokio::test]
async fn sockets_are_told_when_the_server_stops_and_their_tasks_end() {
    let site = Site::start().await;
    let mut socket = Socket::open(listen(&site).await).await;
    socket.subscribe("r", None).await;
    let services = Arc::clone(&site.services);
    site.shutdown.cancel();
    let closing = tokio::spawn(async move { services.close(SOON).await });
    assert_eq!(socket.closed().await, 4503, "come back, to another node");
    drop(socket);
    closing.await.unwrap();
    assert_eq!(site.services.live.counts().connections, 0);
}
