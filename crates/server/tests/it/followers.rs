//! Rooms that are followed as server-sent events.

use crate::support::{Call, Events, KEY, Setup, Site};
use mainstay_core::api::events::{MemberId, StreamName};
use mainstay_core::events::{RoomAccess, StreamOptions, Streams};
use mainstay_server::{LiveRules, OwnerKey, ServerConfig};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

fn follow(room: &str) -> Call {
    Call::get(&format!("/v1/events/chat/live?room={room}"))
}

async fn publish(site: &Site, room: &str, n: u64) {
    let event = json!({ "type": "said", "room": room, "payload": { "n": n } });
    site.call(Call::post("/v1/events/chat", event)).await.ok().await;
}

async fn number(events: &mut Events) -> (u64, String) {
    let told = events.expect("").await;
    assert_eq!(told.id.as_deref(), told.data["position"].as_str(), "the id is the position");
    (told.data["payload"]["n"].as_u64().unwrap(), told.id.unwrap())
}

#[tokio::test]
async fn a_room_is_followed_and_resumed_by_the_last_event_id() {
    let site = Site::start().await;
    let mut events = site.call(follow("request:42")).await.events();
    let ready = events.expect("ready").await;
    assert_eq!(ready.id.as_deref(), ready.data["position"].as_str());
    publish(&site, "request:42", 1).await;
    publish(&site, "request:43", 9).await;
    publish(&site, "request:42", 2).await;
    let (first, id) = number(&mut events).await;
    assert_eq!((first, number(&mut events).await.0), (1, 2));
    drop(events);
    publish(&site, "request:42", 3).await;
    // What the browser remembers goes before what its page said at first.
    let again = Call::get("/v1/events/chat/live?room=request:42&from=another:1-0").header("last-event-id", &id);
    let mut events = site.call(again).await.events();
    events.expect("ready").await;
    assert_eq!((number(&mut events).await.0, number(&mut events).await.0), (2, 3));
    publish(&site, "request:42", 4).await;
    assert_eq!(number(&mut events).await.0, 4);
    site.shutdown.cancel();
    assert_eq!(events.expect("bye").await.data["reason"], "stopping");
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn a_position_that_cannot_be_continued_is_told_first() {
    let site = Site::start().await;
    publish(&site, "r", 1).await;
    let mut events = site.call(Call::get("/v1/events/chat/live?room=r&from=another:1-0")).await.events();
    assert_eq!(events.expect("gap").await.data["gap"], "new_epoch");
    publish(&site, "r", 2).await;
    assert_eq!(number(&mut events).await.0, 2);
}

#[tokio::test]
async fn a_browser_may_say_its_credential_in_the_query_and_what_is_wrong_is_a_problem() {
    let site = Site::start().await;
    let token = site.key(&["events:read"]).await.token;
    let in_query = |path: &str| Call::anonymous(http::Method::GET, &format!("{path}&access_token={token}"));
    site.call(in_query("/v1/events/chat/live?room=r")).await.events().expect("ready").await;
    site.call(in_query("/v1/events/chat/live?room=user:7")).await.problem("events.room_forbidden").await;
    site.call(in_query("/v1/events/none/live?room=r")).await.problem("events.stream_unknown").await;
    site.call(follow("r&from=x")).await.problem("request.invalid").await;
    site.call(follow("r").header("last-event-id", "x")).await.problem("request.invalid").await;
    site.call(Call::anonymous(http::Method::GET, "/v1/events/chat/live?room=r"))
        .await
        .problem("auth.credential_missing")
        .await;
}

#[tokio::test]
async fn the_position_of_a_quiet_room_moves_on_without_an_event() {
    let live = LiveRules { keep_alive: Duration::from_millis(1), ..LiveRules::default() };
    let config = ServerConfig { live, ..ServerConfig::new(OwnerKey::new(KEY)) };
    let site = Site::start_with(Setup { config, ..Setup::default() }).await;
    let mut events = site.call(follow("quiet")).await.events();
    let ready = events.expect("ready").await;
    publish(&site, "loud", 1).await;
    let id = events.next_id().await;
    assert_ne!(Some(id), ready.id);
}

#[tokio::test]
async fn who_is_no_member_any_more_hears_nothing_more() {
    let mut streams = Streams::default();
    let chat = StreamName::parse("chat").unwrap();
    let members = StreamOptions { access: RoomAccess::Members, ..StreamOptions::usual(&chat) };
    streams.set(chat, members).unwrap();
    let site = Site::start_with(Setup { streams: Arc::new(streams), ..Setup::default() }).await;
    let key = site.key(&["events:read"]).await;
    site.call(follow("r").with(&key.token)).await.problem("events.room_forbidden").await;
    let member = MemberId::parse(format!("key:{}", key.key.id)).unwrap();
    let path = format!("/v1/events/chat/rooms/r/members/{}", member.as_str());
    site.call(Call::new(http::Method::PUT, &path).body("{}")).await.ok().await;
    let mut events = site.call(follow("r").with(&key.token)).await.events();
    events.expect("ready").await;
    let dismissed: Value = site.call(Call::new(http::Method::DELETE, &path)).await.ok().await;
    assert_eq!(dismissed["changed"], true);
    assert_eq!(events.expect("bye").await.data["reason"], "forbidden");
}

#[tokio::test]
async fn whoever_follows_a_room_may_show_in_it_until_it_is_gone() {
    let site = Site::start().await;
    let present = async || {
        let told = site.call(Call::get("/v1/events/chat/rooms/r/presence")).await.ok().await;
        told["present"].as_array().unwrap().len()
    };
    let _unseen = site.call(Call::get("/v1/events/chat/live?room=r")).await.events();
    assert_eq!(present().await, 0);
    let events = site.call(Call::get("/v1/events/chat/live?room=r&present=true")).await.events();
    assert_eq!(present().await, 1);
    drop(events);
    let gone = async {
        while present().await != 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(crate::support::SOON, gone).await.expect("it leaves in time");
}
