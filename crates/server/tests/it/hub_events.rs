//! Events at clients of the hubs: what they are told, whichever way an event came and whichever node they are at.

use crate::support::hub::{Client, Listener};
use crate::support::{Call, KEY, Setup, Site};
use http::Method;
use mainstay_core::api::events::{MemberId, StreamName};
use mainstay_core::events::{Overflow, RoomAccess, StreamOptions, Streams};
use mainstay_server::BridgeKey;
use serde_json::{Value, json};
use std::sync::Arc;

const BRIDGE: &str = "the key of the bridge";

fn setup() -> Setup {
    let mut setup = Setup::default();
    setup.config.bridge_key = Some(BridgeKey::new(BRIDGE));
    setup
}

fn with_chat(change: impl FnOnce(&mut StreamOptions)) -> Setup {
    let name = StreamName::parse("chat").unwrap();
    let mut streams = Streams::default();
    let mut options = StreamOptions::usual(&name);
    change(&mut options);
    streams.set(name, options).unwrap();
    Setup { streams: Arc::new(streams), ..setup() }
}

async fn bridge(site: &Site, path: &str, body: Value) {
    let call = Call::anonymous(Method::POST, &format!("/internal/{path}")).header("x-internal-api-key", BRIDGE);
    site.call(call.body(body.to_string())).await.ok().await;
}

async fn publish(site: &Site, stream: &str, event: Value) {
    site.call(Call::post(&format!("/v1/events/{stream}"), event)).await.ok().await;
}

/// What an existing backend writes into a stream, without asking anybody.
async fn add(site: &Site, key: &str, (id, kind, room): (&str, &str, &str), payload: &Value) {
    let payload = payload.to_string();
    let fields =
        ["event_id", id, "event_type", kind, "timestamp", "2026-01-16T10:00:00+00:00", "room_id", room, "payload"];
    let command = [&["XADD", key, "MAXLEN", "~", "10000", "*"], &fields[..], &[&payload]].concat();
    site.store.cli(&command).await.unwrap();
}

/// The id of the user, as the notification hub says it.
async fn arrived(listener: &mut Listener<'_>) -> String {
    listener.expect("Connected").await[0]["userId"].as_str().unwrap().to_owned()
}

async fn present(site: &Site, stream: &str, room: &str) -> Value {
    let room = room.replace(':', "%3A");
    site.call(Call::get(&format!("/v1/events/{stream}/rooms/{room}/presence"))).await.ok().await["present"].clone()
}

/// Waits until a room looks like this.
async fn until_present(site: &Site, (stream, room): (&str, &str), wanted: impl Fn(&Value) -> bool) {
    let look = async {
        while !wanted(&present(site, stream, room).await) {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(crate::support::SOON, look).await.expect("the room in time");
}

/// A client of each hub at one site, told by publishers at another.
async fn tells(at: &Site, from: &Site) {
    let mut chat = Listener::open(at, "chat").await;
    chat.effect("JoinRoom", json!([42]), "RoomJoined").await;
    bridge(from, "chat/message", json!({ "event_id": "m1", "request_id": "42", "message": { "n": 1, "id": "m1" } }))
        .await;
    assert_eq!(chat.expect("ReceiveMessage").await, json!([{ "n": 1, "id": "m1" }]), "bare");
    let message = json!({ "type": "chat_message", "room": "request:42", "id": "m2", "payload": { "n": 2 } });
    publish(from, "chat", message).await;
    assert_eq!(chat.expect("ReceiveMessage").await, json!([{ "n": 2 }]));
    // What came already does not come again, whichever way.
    bridge(from, "chat/message", json!({ "event_id": "m2", "request_id": "42", "message": { "n": 2 } })).await;
    bridge(from, "chat/typing", json!({ "event_id": "t", "request_id": "42", "user_id": "7", "is_typing": true }))
        .await;
    let typing = chat.expect("TypingIndicator").await;
    assert_eq!(typing, json!([{ "requestId": "42", "userId": "7", "isTyping": true }]));
    bridge(from, "ticket/task-status", json!({ "event_id": "s", "request_id": "42", "status": "done" })).await;
    assert_eq!(chat.expect("TaskStatusChanged").await[0]["status"], "done");

    let mut ticket = Listener::open(at, "ticket").await;
    ticket.effect("SubscribeToTicket", json!(["42"]), "TicketSubscribed").await;
    ticket.effect("SubscribeToUserTickets", json!([]), "UserTicketsSubscribed").await;
    let change = json!({ "type": "status_change", "room": "ticket:42", "payload": { "new_status": "open" } });
    publish(from, "ticket", change).await;
    let told = ticket.expect("TicketUpdate").await;
    assert_eq!((&told[0]["requestId"], &told[0]["data"]), (&json!("42"), &json!({ "newStatus": "open" })));
    let update = json!({ "type": "status_change", "data": { "newStatus": "shut" }, "requestId": "42" });
    bridge(from, "ticket/update", json!({ "event_id": "u", "request_id": "42", "update": update })).await;
    for listener in [&mut ticket, &mut chat] {
        loop {
            let (target, told) = listener.hear().await;
            assert_eq!(target, "TicketUpdate");
            if told[0]["data"]["newStatus"] == "shut" {
                assert_eq!(told[0]["eventType"], "status_change");
                break;
            }
        }
    }

    let mut notification = Listener::open(at, "notification").await;
    let user = arrived(&mut notification).await;
    bridge(from, "notification/send", json!({ "event_id": "n", "user_id": user, "notification": { "title": "t" } }))
        .await;
    assert_eq!(notification.expect("Notification").await, json!([{ "title": "t" }]));
    assert_eq!(chat.expect("Notification").await, json!([{ "title": "t" }]), "of the same user");
    notification.effect("RefreshSubscriptions", json!([["42"]]), "SubscriptionsRefreshed").await;
    bridge(from, "notification/new-message", json!({ "event_id": "nm", "request_id": "42", "message": {} })).await;
    notification.expect("NewMessageNotification").await;
    let session = json!({ "sessionId": "s", "agentId": "a", "requestId": "42" });
    bridge(from, "remote-access/auto-start", json!({ "event_id": "r", "requester_id": user, "session": session }))
        .await;
    for listener in [&mut notification, &mut chat] {
        assert_eq!(listener.expect("RemoteSessionAutoStart").await[0]["mode"], "view");
    }
    bridge(from, "ticket/new", json!({ "event_id": "new", "ticket": { "id": "1" }, "requester_id": user })).await;
    assert_eq!(ticket.expect("NewTicket").await, json!([{ "id": "1" }]));

    let mut remote = Listener::open(at, "remote-access").await;
    remote.effect("JoinSession", json!(["s", "agent"]), "SessionJoined").await;
    bridge(from, "remote-access/uac-detected", json!({ "event_id": "uac", "session_id": "s", "agent_id": "a" })).await;
    remote.expect("UacDetected").await;
    bridge(from, "remote-access/ended", json!({ "event_id": "end", "session_id": "s", "reason": "left" })).await;
    let ended = remote.expect("SessionEnded").await;
    assert_eq!(ended, json!([{ "sessionId": "s", "reason": "left", "endedBy": null }]));
}

#[tokio::test]
async fn each_hub_tells_what_is_published_on_a_file() {
    let site = Site::on_file(setup()).await;
    tells(&site, &site).await;
}

#[tokio::test]
async fn each_hub_tells_what_is_published_at_another_node() {
    let site = Site::start_with(setup()).await;
    let other = site.beside_with(setup()).await;
    tells(&site, &other).await;
}

#[tokio::test]
async fn what_a_backend_writes_into_the_stream_itself_reaches_clients_of_every_node() {
    let site = Site::start_with(setup()).await;
    let other = site.beside_with(setup()).await;
    let (mut here, mut there) = (Listener::open(&site, "chat").await, Listener::open(&other, "chat").await);
    let mut notified = Listener::open(&other, "notification").await;
    let user = arrived(&mut notified).await;
    for listener in [&mut here, &mut there] {
        listener.effect("JoinRoom", json!(["42"]), "RoomJoined").await;
        // Again, as clients do when they come back: it is still told once.
        listener.effect("JoinRoom", json!(["42"]), "RoomJoined").await;
    }
    let message = json!({ "id": "m", "n": 12345678901234567890_u64 });
    add(&site, "events:chat", ("e1", "chat_message", "42"), &message).await;
    add(&site, "events:chat", ("e1", "chat_message", "42"), &message).await;
    add(&site, "events:chat", ("e2", "read_receipt", "request:42"), &json!({ "user_id": "7", "message_ids": ["m"] }))
        .await;
    for listener in [&mut here, &mut there] {
        assert_eq!(listener.expect("ReceiveMessage").await, json!([message]));
        let receipt = json!([{ "requestId": "42", "userId": "7", "messageIds": ["m"] }]);
        assert_eq!(listener.expect("ReadStatusUpdate").await, receipt);
    }
    add(&site, "events:ticket", ("e3", "notification", &user), &json!({ "action_url": "/" })).await;
    assert_eq!(notified.expect("Notification").await, json!([{ "actionUrl": "/" }]));
    let mode = json!({ "session_id": "s", "mode": "control" });
    add(&site, "events:remote", ("e4", "remote_session_end", &user), &mode).await;
    let enabled = json!([{ "sessionId": "s", "mode": "control" }]);
    assert_eq!(notified.expect("ControlEnabled").await, enabled, "a change of the mode is no end");
}

#[tokio::test]
async fn the_others_at_every_node_hear_who_types_and_not_who_does() {
    let site = Site::start_with(setup()).await;
    let other = site.beside_with(setup()).await;
    let mut typist = Listener::open(&site, "chat").await;
    let (mut here, mut there) = (Listener::open(&site, "chat").await, Listener::open(&other, "chat").await);
    for listener in [&mut typist, &mut here, &mut there] {
        listener.effect("JoinRoom", json!(["42"]), "RoomJoined").await;
    }
    for _ in 0..20 {
        typist.send("SendTyping", json!(["42", true])).await;
    }
    typist.send("SendTyping", json!(["42", false])).await;
    typist.send("MarkRead", json!(["42", ["m1", 2]])).await;
    for listener in [&mut here, &mut there] {
        let (mut typing, mut read) = (Vec::new(), None);
        while typing.last() != Some(&json!(false)) || read.is_none() {
            match listener.hear().await {
                (target, told) if target == "TypingIndicator" => typing.push(told[0]["isTyping"].clone()),
                (target, told) if target == "ReadStatusUpdate" => read = Some(told[0]["messageIds"].clone()),
                (target, told) => panic!("{target} {told}"),
            }
        }
        assert!((2..=12).contains(&typing.len()) && typing[0] == true, "coalesced: {typing:?}");
        assert_eq!(read, Some(json!(["m1", "2"])));
    }
    bridge(&site, "chat/message", json!({ "event_id": "m", "request_id": "42", "message": {} })).await;
    assert_eq!(typist.hear().await.0, "ReceiveMessage", "nothing of its own came back");
}

#[tokio::test]
async fn who_may_only_listen_is_not_heard() {
    let site = Site::start_with(setup()).await;
    let key = site.key(&["events:read"]).await.token;
    let mut listener = Listener::open_with(&site, "chat", &key).await;
    listener.effect("JoinRoom", json!(["42"]), "RoomJoined").await;
    let refused = listener.invoke("SendTyping", json!(["42", true])).await;
    assert!(refused["error"].as_str().unwrap().contains("events:write"), "{refused}");
    let refused = listener.invoke("JoinRoom", json!([""])).await;
    assert!(refused["error"].as_str().unwrap().contains("room"), "{refused}");
}

#[tokio::test]
async fn a_message_that_is_too_large_for_an_event_is_refused_and_its_connection_goes_on() {
    let site = Site::start_with(setup()).await;
    let mut agent = Listener::open(&site, "remote-access").await;
    agent.effect("JoinSession", json!(["s", "agent"]), "SessionJoined").await;
    let refused = agent.invoke("SendSdpOffer", json!(["s", { "sdp": "x".repeat(300 * 1_024) }])).await;
    assert!(refused["error"].is_string(), "{refused}");
    let sent = agent.invoke("SendSdpOffer", json!(["s", { "sdp": "x" }])).await;
    assert!(sent["error"].is_null(), "{sent}");
}

#[tokio::test]
async fn the_two_ends_of_a_session_find_each_other_across_nodes() {
    let site = Site::start_with(setup()).await;
    let other = site.beside_with(setup()).await;
    let mut agent = Listener::open(&site, "remote-access").await;
    let mut requester = Listener::open(&other, "remote-access").await;
    let joined = agent.effect("JoinSession", json!(["s", "Agent"]), "SessionJoined").await;
    assert_eq!(joined, json!([{ "sessionId": "s", "participantType": "agent" }]));
    requester.effect("JoinSession", json!(["s", "requester"]), "SessionJoined").await;
    let told = agent.expect("ParticipantJoined").await;
    assert_eq!((&told[0]["participantType"], &told[0]["sessionId"]), (&json!("requester"), &json!("s")));

    let calls = [
        ("SendSdpOffer", json!(["s", { "sdp": "x" }]), "SdpOffer"),
        ("SendSdpAnswer", json!(["s", { "sdp": "y" }]), "SdpAnswer"),
        ("SendIceCandidate", json!(["s", null]), "IceCandidate"),
        ("SendSignal", json!(["s", "Renegotiate", [1]]), "Renegotiate"),
        ("EnableControl", json!(["s"]), "ControlEnabled"),
        ("DisableControl", json!(["s"]), "ControlDisabled"),
        ("NotifyUacDetected", json!(["s"]), "UacDetected"),
        ("NotifyUacDismissed", json!(["s"]), "UacDismissed"),
    ];
    for (method, arguments, heard) in calls {
        assert!(agent.invoke(method, arguments.clone()).await.get("error").is_none(), "{method}");
        let told = requester.expect(heard).await;
        assert_eq!(told[0]["sessionId"], "s", "{method}: {told}");
        if method.starts_with("Send") {
            let payload = arguments.as_array().unwrap().last().unwrap();
            assert_eq!(&told[0]["payload"], payload, "{method}: {told}");
            assert!(told[0]["fromUserId"].is_string(), "{told}");
        }
    }
    for forged in ["SessionEnded", "participantLEFT", "", "a b"] {
        let refused = agent.invoke("SendSignal", json!(["s", forged, {}])).await;
        assert!(refused["error"].is_string(), "{forged:?}: {refused}");
    }
    agent.effect("LeaveSession", json!(["s"]), "SessionLeft").await;
    assert_eq!(requester.expect("ParticipantLeft").await[0]["sessionId"], "s");
    agent.effect("JoinSession", json!(["s", "agent"]), "SessionJoined").await;
    requester.expect("ParticipantJoined").await;
    drop(agent);
    assert_eq!(requester.expect("ParticipantLeft").await[0]["sessionId"], "s", "it went without a word");
}

#[tokio::test]
async fn whoever_is_connected_shows_in_the_rooms_until_it_leaves() {
    let site = Site::start_with(setup()).await;
    let mut client = Client::negotiate(&site, "chat", KEY).await;
    client.path.push_str("&sessionId=desk%201");
    let mut listener = Listener::open_at(client).await;
    listener.effect("JoinRoom", json!(["42"]), "RoomJoined").await;
    assert_eq!(present(&site, "chat", "request:42").await[0]["connections"], 1);
    assert_eq!(present(&site, "remote", "desktop:desk%201").await[0]["member"], "owner");
    listener.effect("LeaveRoom", json!(["42"]), "RoomLeft").await;
    assert_eq!(present(&site, "chat", "request:42").await, json!([]));

    let mut notified = Listener::open(&site, "notification").await;
    let user = arrived(&mut notified).await;
    notified.effect("SetActiveChat", json!(["42"]), "ActiveChatSet").await;
    let room = format!("notifications:{user}");
    assert_eq!(present(&site, "notification", &room).await[0]["info"], json!({ "activeChat": "42" }));
    drop((listener, notified));
    until_present(&site, ("notification", &room), |present| *present == json!([])).await;
    until_present(&site, ("remote", "desktop:desk%201"), |present| *present == json!([])).await;
}

#[tokio::test]
async fn a_client_that_arrives_while_the_store_is_away_is_taken_when_it_is_back() {
    let site = Site::start_with(setup()).await;
    let mut arriving = Listener::begin(Client::negotiate(&site, "notification", KEY).await).await;
    site.store.kill();
    arriving.greet().await;
    // Its calls wait as well.
    arriving.send("SetActiveChat", json!([null])).await;
    site.store.restart().await.unwrap();
    arriving.expect("Connected").await;
    arriving.expect("ActiveChatSet").await;
}

#[tokio::test]
async fn a_group_ends_with_the_membership_in_its_rooms() {
    let setup = with_chat(|chat| chat.access = RoomAccess::Members);
    let site = Site::start_with(setup).await;
    let key = site.key(&["events:read"]).await;
    let member = MemberId::parse(format!("key:{}", key.key.id)).unwrap();
    let admitted = |method: Method| {
        let path = format!("/v1/events/chat/rooms/request%3A42/members/{}", member.as_str().replace(':', "%3A"));
        Call::new(method, &path)
    };
    site.call(admitted(Method::PUT)).await.ok().await;
    // Tickets are open in this installation, so that only the chat's rooms ask.
    let mut events = Listener::open_with(&site, "events", &key.token).await;
    let refused = events.invoke("Subscribe", json!(["chat", "request:43"])).await;
    assert!(refused["error"].as_str().unwrap().contains("only its members"), "{refused}");
    events.effect("Subscribe", json!(["chat", "request:42"]), "Subscribed").await;
    site.call(admitted(Method::DELETE)).await.ok().await;
    let ended = events.expect("Unsubscribed").await;
    assert_eq!((&ended[1], &ended[2]["code"]), (&json!("request:42"), &json!("events.room_forbidden")));
    publish(&site, "chat", json!({ "type": "chat_message", "room": "request:42", "payload": {} })).await;
    let answer = events.invoke("nothing", json!([])).await;
    assert!(answer["error"].is_string(), "no event came before it: {answer}");
}

#[tokio::test]
async fn a_room_is_continued_from_a_position_and_a_gap_is_told() {
    let site = Site::start_with(setup()).await;
    let mut events = Listener::open(&site, "events").await;
    let subscribed = events.effect("Subscribe", json!(["chat", "r"]), "Subscribed").await;
    let position = subscribed[2]["position"].clone();
    for n in 0..3 {
        publish(&site, "chat", json!({ "type": "said", "room": "r", "payload": { "n": n } })).await;
    }
    let first = events.expect("Event").await;
    assert_eq!((&first[0]["payload"]["n"], &first[0]["type"]), (&json!(0), &json!("said")));
    drop(events);
    let mut again = Listener::open(&site, "events").await;
    again.send("Subscribe", json!(["chat", "r", first[0]["position"]])).await;
    again.expect("Subscribed").await;
    for n in 1..3 {
        assert_eq!(again.expect("Event").await[0]["payload"]["n"], n);
    }
    // Somebody empties the stream: what was in it and not read is gone.
    site.store.cli(&["DEL", "events:chat"]).await.unwrap();
    publish(&site, "chat", json!({ "type": "said", "room": "r", "payload": { "n": 9 } })).await;
    let gap = again.expect("Gap").await;
    assert_eq!((&gap[0]["room"], gap[0]["gap"].is_string()), (&json!("r"), true), "{gap}");
    let mut late = Listener::open(&site, "events").await;
    late.send("Subscribe", json!(["chat", "r", position])).await;
    assert!(late.expect("Subscribed").await[2]["gap"].is_string());
}

#[tokio::test]
async fn clients_that_have_no_word_for_a_gap_are_made_to_come_back() {
    let site = Site::start_with(setup()).await;
    let mut chat = Listener::open(&site, "chat").await;
    chat.effect("JoinRoom", json!(["42"]), "RoomJoined").await;
    publish(&site, "chat", json!({ "type": "chat_message", "room": "request:42", "payload": {} })).await;
    chat.expect("ReceiveMessage").await;
    site.store.cli(&["DEL", "events:chat"]).await.unwrap();
    publish(&site, "chat", json!({ "type": "chat_message", "room": "request:42", "payload": {} })).await;
    let farewell = chat.farewell().await;
    assert_eq!(farewell["allowReconnect"], true, "{farewell}");
    assert!(farewell["error"].as_str().unwrap().contains("events were missed"), "{farewell}");
}

/// Publishes more than may wait for a client that reads nothing.
async fn flood(site: &Site) {
    let text = "x".repeat(1_000);
    for n in 0..20 {
        let batch: Vec<Value> = (0..20)
            .map(|at| json!({ "type": "chat_message", "room": "request:42", "payload": { "n": n * 20 + at, "text": text } }))
            .collect();
        publish(site, "chat", json!({ "events": batch })).await;
    }
}

#[tokio::test]
async fn a_client_that_reads_too_slowly_is_made_to_come_back_and_others_are_not() {
    let mut setup = setup();
    setup.config.signalr.queue_bytes = 192 * 1_024;
    let site = Site::start_with(setup).await;
    let mut slow = Listener::open(&site, "chat").await;
    slow.effect("JoinRoom", json!(["42"]), "RoomJoined").await;
    let mut other = Listener::open(&site, "chat").await;
    other.effect("JoinRoom", json!(["42"]), "RoomJoined").await;
    let reading = async {
        let mut numbers = Vec::new();
        while numbers.len() < 400 {
            numbers.push(other.expect("ReceiveMessage").await[0]["n"].as_u64().unwrap());
        }
        numbers
    };
    let ((), numbers) = tokio::join!(flood(&site), reading);
    assert!(numbers.iter().copied().eq(0..400), "{numbers:?}");
    let farewell = slow.farewell().await;
    assert_eq!(farewell["allowReconnect"], true, "{farewell}");
    assert!(farewell["error"].as_str().unwrap().contains("too slowly"), "{farewell}");
}

#[tokio::test]
async fn where_a_stream_is_conflated_a_slow_client_is_told_how_much_it_did_not_get() {
    let mut setup = with_chat(|chat| chat.overflow = Overflow::Conflate);
    setup.config.signalr.queue_bytes = 64 * 1_024;
    let site = Site::start_with(setup).await;
    let mut slow = Listener::open(&site, "chat").await;
    slow.effect("JoinRoom", json!(["42"]), "RoomJoined").await;
    flood(&site).await;
    let (mut received, mut dropped) = (0, 0);
    let last = loop {
        match slow.hear().await {
            (target, told) if target == "ReceiveMessage" => {
                received += 1;
                if told[0]["n"] == 399 {
                    break told;
                }
            }
            (target, told) => {
                assert_eq!((target.as_str(), &told[0]["room"]), ("Conflated", &json!("request:42")));
                dropped += told[0]["dropped"].as_u64().unwrap();
            }
        }
    };
    assert_eq!(received + dropped, 400, "{last}");
}
