//! Consumer groups over HTTP, on both kinds of store.

use crate::support::{Call, Site};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

const GROUP: &str = "/v1/events/chat/groups/billing";

async fn publish(site: &Site, ids: &[&str]) {
    let event = |id: &&str| json!({ "id": id, "type": "chat_message", "room": "request:42", "payload": { "n": 1.50 } });
    let events: Vec<Value> = ids.iter().map(event).collect();
    site.call(Call::post("/v1/events/chat", json!({ "events": events }))).await.ok().await;
}

async fn make(site: &Site) {
    let made = site.call(Call::new(Method::PUT, GROUP)).await.ok().await;
    assert_eq!(made, json!({ "created": true }));
}

async fn post(site: &Site, verb: &str, body: Value) -> Value {
    site.call(Call::post(&format!("{GROUP}/{verb}"), body)).await.ok().await
}

async fn take(site: &Site, body: Value) -> Vec<Value> {
    post(site, "take", body).await["events"].as_array().unwrap().clone()
}

fn ids(taken: &[Value]) -> Vec<&str> {
    taken.iter().map(|work| work["event"]["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_group_is_made_worked_in_listed_and_removed() {
    for site in Site::each().await {
        make(&site).await;
        let again = site.call(Call::new(Method::PUT, GROUP).body(r#"{"from":"new"}"#)).await.ok().await;
        assert_eq!(again, json!({ "created": false }));
        publish(&site, &["a", "b", "c"]).await;
        let taken = take(&site, json!({ "consumer": "one", "limit": 2 })).await;
        assert_eq!(ids(&taken), ["a", "b"]);
        assert_eq!((&taken[0]["delivery"], &taken[0]["event"]["room"]), (&json!(1), &json!("request:42")));
        let page = site.call(Call::get("/v1/events/chat")).await.ok().await;
        assert_eq!(page["events"][0]["position"], taken[0]["event"]["position"], "where it stands in the stream");
        assert_eq!(ids(&take(&site, json!({ "consumer": "two" })).await), ["c"]);
        let token = &taken[0]["token"];
        let done = post(&site, "acknowledge", json!({ "tokens": [token] })).await;
        assert_eq!(done, json!({ "acknowledged": 1 }));
        let kept = post(&site, "keep", json!({ "consumer": "one", "tokens": [token, taken[1]["token"]] })).await;
        assert_eq!(kept, json!({ "kept": [taken[1]["token"]] }));
        let listed = site.call(Call::get("/v1/events/chat/groups")).await.ok().await;
        let group = &listed["groups"][0];
        assert_eq!((&group["name"], &group["lag"], &group["pending"]), (&json!("billing"), &json!(0), &json!(2)));
        let consumers = json!([{ "name": "one", "holds": 1 }, { "name": "two", "holds": 1 }]);
        assert_eq!(group["consumers"], consumers);
        let removed = site.call(Call::new(Method::DELETE, GROUP)).await.ok().await;
        assert_eq!(removed, json!({ "removed": true }));
        site.call(Call::post(&format!("{GROUP}/take"), json!({ "consumer": "one" })))
            .await
            .problem("events.group_not_found")
            .await;
        for action in ["events.groups.create", "events.groups.remove"] {
            let entries = site.call(Call::get(&format!("/v1/audit/entries?action={action}"))).await.ok().await;
            assert_eq!(entries["items"][0]["resource"]["id"], "chat/billing", "{entries}");
        }
    }
}

#[tokio::test]
async fn a_long_poll_ends_with_an_event_of_another_node() {
    for site in Site::each().await {
        make(&site).await;
        let other = site.beside().await;
        let call = Call::post(&format!("{GROUP}/take"), json!({ "consumer": "one", "wait_ms": 60_000 }));
        let router = site.router.clone();
        let waiting = tokio::spawn(async move {
            use tower::ServiceExt;
            router.oneshot(call.request()).await.unwrap()
        });
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(!waiting.is_finished());
        publish(&other, &["a"]).await;
        let answer = tokio::time::timeout(crate::support::SOON, waiting).await.unwrap().unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let group = &other.call(Call::get("/v1/events/chat/groups")).await.ok().await["groups"][0];
        assert_eq!((&group["pending"], &group["lag"]), (&json!(1), &json!(0)));
    }
}

#[tokio::test]
async fn a_long_poll_ends_with_the_server() {
    let site = Site::start().await;
    make(&site).await;
    let call = Call::post(&format!("{GROUP}/take"), json!({ "consumer": "one", "wait_ms": 60_000 }));
    let shutdown = site.shutdown.clone();
    let stop = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        shutdown.cancel();
    };
    let (answer, ()) = tokio::join!(tokio::time::timeout(crate::support::SOON, site.call(call)), stop);
    assert_eq!(answer.unwrap().ok().await, json!({ "events": [] }));
}

#[tokio::test]
async fn what_a_consumer_left_alone_is_taken_by_another_and_dies_when_all_do() {
    for site in Site::each().await {
        make(&site).await;
        publish(&site, &["a"]).await;
        let wanted = |who: &str| json!({ "consumer": who, "idle_ms": 100, "max_deliveries": 2, "wait_ms": 20_000 });
        let first = take(&site, wanted("one")).await;
        let second = take(&site, wanted("two")).await;
        assert_eq!((ids(&second), &second[0]["delivery"]), (vec!["a"], &json!(2)));
        let late = json!({ "consumer": "one", "token": first[0]["token"] });
        assert_eq!(post(&site, "release", late).await, json!({ "released": false }));
        tokio::time::sleep(Duration::from_millis(150)).await;
        let third = post(&site, "take", json!({ "consumer": "one", "idle_ms": 100, "max_deliveries": 2 })).await;
        assert_eq!(third, json!({ "events": [], "buried": 1 }));
        let dead = site.call(Call::get(&format!("{GROUP}/dead"))).await.ok().await;
        assert_eq!((&dead["items"][0]["deliveries"], dead.get("next")), (&json!(2), None));
        assert_eq!(dead["items"][0]["event"], first[0]["event"], "it is as it was");
    }
}

#[tokio::test]
async fn an_event_is_given_back_buried_revived_and_forgotten() {
    for site in Site::each().await {
        make(&site).await;
        publish(&site, &["a"]).await;
        let token = take(&site, json!({ "consumer": "one" })).await[0]["token"].as_str().unwrap().to_owned();
        let mine = json!({ "consumer": "one", "token": token });
        assert_eq!(post(&site, "release", mine).await, json!({ "released": true }));
        assert_eq!(take(&site, json!({ "consumer": "one" })).await[0]["delivery"], 2);
        let delayed = json!({ "consumer": "one", "token": token, "delay_ms": 60_000 });
        assert_eq!(post(&site, "release", delayed).await, json!({ "released": true }));
        assert_eq!(ids(&take(&site, json!({ "consumer": "one" })).await), Vec::<&str>::new());
        let bury = json!({ "consumer": "one", "token": token, "reason": "the card has expired" });
        assert_eq!(post(&site, "bury", bury).await, json!({ "buried": true }));
        let dead = site.call(Call::get(&format!("{GROUP}/dead"))).await.ok().await;
        assert_eq!(dead["items"][0]["reason"], "the card has expired");
        let of_dead = format!("{GROUP}/dead/{token}");
        let revive = || Call::new(Method::POST, &format!("{of_dead}/revive"));
        assert_eq!(site.call(revive()).await.ok().await, json!({ "changed": true }));
        assert_eq!(site.call(revive()).await.ok().await, json!({ "changed": false }));
        assert_eq!(take(&site, json!({ "consumer": "one" })).await[0]["delivery"], 1, "as if it never had been");
        post(&site, "bury", json!({ "consumer": "one", "token": token, "reason": "again" })).await;
        let forget = Call::new(Method::DELETE, &of_dead);
        assert_eq!(site.call(forget).await.ok().await, json!({ "changed": true }));
        let none = site.call(Call::get(&format!("{GROUP}/dead"))).await.ok().await;
        assert_eq!(none["items"], json!([]));
        let entries = site.call(Call::get("/v1/audit/entries?action=events.dead.revive")).await.ok().await;
        assert_eq!(entries["items"][0]["resource"]["id"], format!("chat/billing/{token}"), "{entries}");
    }
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_scopes_are_kept_apart() {
    let site = Site::start().await;
    make(&site).await;
    for (verb, broken) in [
        ("take", json!({})),
        ("take", json!({ "consumer": "" })),
        ("take", json!({ "consumer": "one", "limit": 1_000 })),
        ("take", json!({ "consumer": "one", "wait_ms": 3_600_000 })),
        ("acknowledge", json!({ "tokens": [] })),
        ("acknowledge", json!({ "tokens": ["7:1-1"] })),
        ("acknowledge", json!({ "tokens": ["yesterday"] })),
        ("release", json!({ "consumer": "one", "token": "0:1-1", "delay_ms": 60_001 })),
        ("bury", json!({ "consumer": "one", "token": "0:1-1", "reason": "x".repeat(1_001) })),
    ] {
        let call = Call::post(&format!("{GROUP}/{verb}"), broken.clone());
        let problem = site.call(call).await.problem("request.invalid").await;
        assert!(problem["detail"].is_string(), "{verb} {broken}");
    }
    site.call(Call::get("/v1/events/chats/groups")).await.problem("events.stream_unknown").await;
    site.call(Call::get("/v1/events/chat/groups/nobody/dead")).await.problem("events.group_not_found").await;
    site.call(Call::new(Method::PUT, "/v1/events/chat/groups/a%20b")).await.problem("request.invalid").await;
    let worker = site.key(&["events:consume"]).await.token;
    let taken = site.call(Call::post(&format!("{GROUP}/take"), json!({ "consumer": "one" })).with(&worker)).await;
    assert_eq!(taken.ok().await, json!({ "events": [] }));
    for call in [
        Call::new(Method::PUT, GROUP),
        Call::new(Method::DELETE, GROUP),
        Call::new(Method::POST, &format!("{GROUP}/dead/0:1-1/revive")),
        Call::new(Method::DELETE, &format!("{GROUP}/dead/0:1-1")),
        Call::get("/v1/events/consumer-lag"),
    ] {
        site.call(call.with(&worker)).await.problem("auth.forbidden").await;
    }
}

#[tokio::test]
async fn lag_and_health_tell_how_groups_and_streams_stand() {
    for site in Site::each().await {
        make(&site).await;
        publish(&site, &["a", "b", "c"]).await;
        take(&site, json!({ "consumer": "one", "limit": 1 })).await;
        let lag = site.call(Call::get("/v1/events/consumer-lag")).await.ok().await;
        assert_eq!((&lag["status"], &lag["total_lag"]), (&json!("healthy"), &json!(2)), "{lag}");
        let group = &lag["groups"][0];
        assert_eq!((&group["stream"], &group["group"]), (&json!("chat"), &json!("billing")));
        assert_eq!((&group["pending"], &group["consumers"]), (&json!(1), &json!(["one"])));
        let health = site.call(Call::get("/v1/events/health")).await.ok().await;
        let streams = health["streams"].as_array().unwrap();
        let chat = streams.iter().find(|stream| stream["stream"] == "chat").unwrap();
        assert_eq!((streams.len(), &chat["length"], &chat["max_lag"]), (7, &json!(3), &json!(2)));
        let ids: Vec<String> = (0..1_000).map(|n| format!("e{n}")).collect();
        for ids in ids.chunks(100) {
            publish(&site, &ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
        }
        let health = site.call(Call::get("/v1/events/health")).await.ok().await;
        assert_eq!(health["status"], "unhealthy");
    }
}

#[tokio::test]
async fn monitors_of_the_founding_system_read_what_they_read_there() {
    let site = Site::start().await;
    make(&site).await;
    let ids: Vec<String> = (0..100).map(|n| format!("e{n}")).collect();
    publish(&site, &ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    take(&site, json!({ "consumer": "instance-1", "limit": 1 })).await;
    publish(&site, &["more"]).await;
    let lag = site.call(Call::get("/api/v1/events/consumer-lag")).await.ok().await;
    assert_eq!(lag["streams"]["events:chat"], json!({ "lag": 100, "consumers": ["instance-1"] }));
    assert_eq!(lag["streams"]["events:ticket"], json!({ "lag": 0, "consumers": [] }));
    assert_eq!((&lag["total_lag"], &lag["stream_count"]), (&json!(100), &json!(7)));
    let streams = site.call(Call::get("/api/v1/events/streams")).await.ok().await;
    let chat = streams["streams"].as_array().unwrap().iter().find(|stream| stream["name"] == "events:chat").unwrap();
    let expected = json!({ "name": "events:chat", "length": 101, "groups": 1, "consumer_group": "billing" });
    assert_eq!(chat, &expected);
    let health = site.call(Call::get("/api/v1/events/health")).await.ok().await;
    assert_eq!((&health["status"], &health["transport_mode"]), (&json!("degraded"), &json!("redis_streams")));
    assert_eq!(health["streams"], json!({ "healthy": 6, "degraded": 1, "unhealthy": 0 }));
    assert_eq!((&health["max_lag"], &health["redis_connected"]), (&json!(100), &json!(true)));
    // Another type under the key of one stream: that one cannot be seen, the others can.
    site.store.cli(&["SET", "events:ticket", "not a stream"]).await.unwrap();
    let lag = site.call(Call::get("/api/v1/events/consumer-lag")).await.ok().await;
    assert_eq!((&lag["streams"]["events:ticket"]["lag"], &lag["total_lag"]), (&json!(-1), &json!(100)));
    assert!(lag["streams"]["events:ticket"]["error"].is_string(), "{lag}");
    let health = site.call(Call::get("/api/v1/events/health")).await.ok().await;
    assert_eq!((&health["status"], &health["redis_connected"]), (&json!("unhealthy"), &json!(false)));
    assert_eq!(health["streams"], json!({ "healthy": 5, "degraded": 1, "unhealthy": 1 }));
    mainstay_server::Surveying::default().run_once(&site.services).await;
    let metrics = site.call(Call::get("/metrics")).await.text().await;
    for line in [
        r#"event_consumer_lag{stream="chat",consumer_group="billing"} 100"#,
        r#"event_queue_depth{stream="chat"} 101"#,
        r#"event_queue_depth{stream="ticket"} -1"#,
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
}
