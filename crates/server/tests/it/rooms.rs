//! Rooms over HTTP: who is in them, and who may be.

use crate::support::{Call, Site};
use http::{Method, StatusCode};
use mainstay_core::api::audit::ChainId;
use mainstay_core::api::events::{RoomId, StreamName};
use mainstay_core::api::{Namespace, RawJson};
use mainstay_core::audit::{Order, PageQuery};
use mainstay_core::events::Arrival;
use mainstay_core::{Caller, Principal, Scope, Scopes};
use serde_json::{Value, json};

const ROOM: &str = "/v1/events/chat/rooms/request%3A42%2F%C3%A9";

/// Somebody with the token of an application.
fn user(id: &str) -> Caller {
    let subject = mainstay_core::api::Subject::local(id);
    let scopes: Scopes = [Scope::EventsRead].into_iter().collect();
    Caller { principal: Principal::Token(subject.clone()), subject, scopes, ..Caller::owner() }
}

async fn enter(site: &Site, who: &str, connection: &str, info: Option<&str>) {
    let arrival = Arrival {
        stream: StreamName::parse("chat").unwrap(),
        room: RoomId::parse("request:42/é").unwrap(),
        connection: connection.into(),
        info: info.map(|info| RawJson::parse(info).unwrap()),
    };
    site.services.rooms.enter(&user(who), arrival).await.unwrap();
}

#[tokio::test]
async fn who_is_in_a_room_is_told_by_member() {
    let site = Site::start().await;
    enter(&site, "bob", "c1", None).await;
    enter(&site, "ada", "c2", Some(r#"{"state":"away"}"#)).await;
    enter(&site, "ada", "c3", None).await;
    let reader = site.key(&["events:read"]).await.token;
    let told = site.call(Call::get(&format!("{ROOM}/presence")).with(&reader)).await.ok().await;
    assert_eq!((&told["room"], told.get("more")), (&json!("request:42/é"), None));
    let of = |place: usize| (&told["present"][place]["member"], &told["present"][place]["connections"]);
    assert_eq!((of(0), of(1)), ((&json!("ada"), &json!(2)), (&json!("bob"), &json!(1))));
    assert_eq!(told["present"][0]["info"], json!({ "state": "away" }));
    let unknown = site.call(Call::get("/v1/events/nowhere/rooms/r/presence").with(&reader)).await;
    let problem = unknown.problem("events.stream_unknown").await;
    assert!(problem["valid_values"].as_array().unwrap().contains(&json!("chat")));
    let other = site.call(Call::get("/v1/events/chat/rooms/user%3A7/presence").with(&reader)).await;
    other.problem("events.room_forbidden").await;
}

#[tokio::test]
async fn a_member_is_admitted_listed_and_dismissed_and_each_change_is_recorded() {
    let site = Site::start().await;
    let member = |who: &str| format!("{ROOM}/members/{who}");
    let put = |who: &str, body: Value| Call::new(Method::PUT, &member(who)).body(body.to_string());
    let admitted = site.call(Call::new(Method::PUT, &member("b%20%2F"))).await.ok().await;
    assert_eq!(admitted, json!({ "member": "b /" }));
    let until = json!({ "until": "2100-01-01T00:00:00.000Z" });
    let admitted = site.call(put("ada", until.clone())).await.ok().await;
    assert_eq!(admitted, json!({ "member": "ada", "until": "2100-01-01T00:00:00.000Z" }));
    site.call(put("ada", json!({ "until": "2020-01-01T00:00:00Z" }))).await.problem("request.invalid").await;
    site.call(put("ada", json!({ "till": 1 }))).await.problem("request.invalid").await;

    let page = site.call(Call::get(&format!("{ROOM}/members?limit=1"))).await.ok().await;
    assert_eq!((&page["items"][0], &page["next"]), (&admitted, &json!("ada")));
    let page = site.call(Call::get(&format!("{ROOM}/members?limit=1&cursor=ada"))).await.ok().await;
    assert_eq!((&page["items"][0]["member"], page.get("next")), (&json!("b /"), None));
    site.call(Call::get(&format!("{ROOM}/members?limit=1001"))).await.problem("request.invalid").await;

    for changed in [true, false] {
        let ended = site.call(Call::new(Method::DELETE, &member("ada"))).await.ok().await;
        assert_eq!(ended, json!({ "changed": changed }));
    }
    let chain = ChainId::Namespace(Namespace::default());
    let entries = site.stores.audit.page(PageQuery { chain, order: Order::After(0), limit: 100 }).await.unwrap();
    let entries: Vec<Value> = entries.iter().map(|entry| serde_json::from_str(&entry.body).unwrap()).collect();
    let began = entries.iter().filter(|entry| entry["outcome"] == "started");
    let acts: Vec<&str> = began.map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(acts, [["events.rooms.admit"; 4].as_slice(), &["events.rooms.dismiss"; 2]].concat());
    assert_eq!(entries[0]["resource"], json!({ "kind": "membership", "id": "chat/request:42/é/b /" }));
}

#[tokio::test]
async fn only_who_may_administer_events_changes_memberships() {
    let site = Site::start().await;
    let reader = site.key(&["events:read", "events:write", "events:consume"]).await.token;
    for method in [Method::PUT, Method::DELETE] {
        let refused = site.call(Call::new(method, &format!("{ROOM}/members/ada")).with(&reader)).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        refused.problem("auth.forbidden").await;
    }
    let page = site.call(Call::get(&format!("{ROOM}/members")).with(&reader)).await.ok().await;
    assert_eq!(page["items"], json!([]));
    let elsewhere = Call::get(&format!("{ROOM}/members")).header("mainstay-namespace", "other");
    site.call(Call::new(Method::PUT, &format!("{ROOM}/members/ada"))).await.ok().await;
    assert_eq!(site.call(elsewhere).await.ok().await["items"], json!([]), "a namespace has rooms of its own");
}
