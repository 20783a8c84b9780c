//! Live streams: resume, order, trouble and the end.

use crate::support::{Call, Setup, Site, message};
use http::Method;
use mainstay_core::presence::PresenceRules;
use serde_json::json;

async fn send(site: &Site, subject: &str) {
    site.call(Call::post("/v1/mail/messages", message(&["b"], subject)).r#as("a")).await.ok().await;
}

#[tokio::test]
async fn what_arrived_before_comes_first_then_ready_then_what_arrives() {
    let site = Site::start().await;
    send(&site, "one").await;
    send(&site, "two").await;
    let mut events = site.call(Call::get("/v1/mail/inbox/events?limit=1").r#as("b")).await.events();
    let one = events.expect("message").await;
    assert_eq!((&one.data["subject"], one.id.as_deref()), (&json!("one"), one.data["position"].as_str()));
    assert_eq!(events.expect("message").await.data["subject"], "two");
    let ready = events.expect("ready").await;
    assert_eq!(ready.id.as_deref(), ready.data["position"].as_str());
    send(&site, "three").await;
    assert_eq!(events.expect("message").await.data["subject"], "three");
}

#[tokio::test]
async fn a_stream_resumes_where_the_last_event_says_and_skips_nothing() {
    let site = Site::start().await;
    send(&site, "one").await;
    let mut events = site.call(Call::get("/v1/mail/inbox/events").r#as("b")).await.events();
    let one = events.expect("message").await;
    drop(events);
    send(&site, "two").await;
    let again = Call::get("/v1/mail/inbox/events?after=oldest").r#as("b").header("last-event-id", &one.id.unwrap());
    let mut events = site.call(again).await.events();
    assert_eq!(events.expect("message").await.data["subject"], "two");
    events.expect("ready").await;
}

#[tokio::test]
async fn what_was_read_is_passed_over_until_the_stream_is_ready() {
    let site = Site::start().await;
    for subject in ["one", "two", "three"] {
        send(&site, subject).await;
    }
    let inbox = site.call(Call::get("/v1/mail/inbox?after=oldest").r#as("b")).await.ok().await;
    let mark = json!({ "ids": [inbox["messages"][1]["id"]] });
    site.call(Call::post("/v1/mail/inbox/read", mark).r#as("b")).await.ok().await;
    let mut events = site.call(Call::get("/v1/mail/inbox/events?limit=1").r#as("b")).await.events();
    assert_eq!(events.expect("message").await.data["subject"], "one");
    assert_eq!(events.expect("message").await.data["subject"], "three");
    events.expect("ready").await;
}

#[tokio::test]
async fn a_position_of_another_life_of_the_store_is_a_gap_that_is_told() {
    let site = Site::start().await;
    send(&site, "one").await;
    let call = Call::get("/v1/mail/inbox/events?after=another:5").r#as("b");
    let mut events = site.call(call).await.events();
    assert_eq!(events.expect("gap").await.data["gap"], "new_epoch");
    assert_eq!(events.expect("message").await.data["subject"], "one");
}

#[tokio::test]
async fn a_stream_survives_the_store_and_tells_the_trouble_once() {
    let site = Site::start().await;
    let mut events = site.call(Call::get("/v1/mail/inbox/events").r#as("b")).await.events();
    events.expect("ready").await;
    site.store.kill();
    let problem = events.expect("problem").await;
    assert_eq!(problem.data["retryable"], true, "{problem:?}");
    site.store.restart().await.unwrap();
    // The store keeps nothing on disk, so the message is in another life of it.
    loop {
        let call = Call::post("/v1/mail/messages", message(&["b"], "after")).r#as("a");
        if site.call(call).await.status.is_success() {
            break;
        }
    }
    assert_eq!(events.expect("gap").await.data["gap"], "new_epoch");
    assert_eq!(events.expect("message").await.data["subject"], "after");
}

#[tokio::test]
async fn streams_say_bye_and_end_when_the_server_stops() {
    let site = Site::start().await;
    let mut mail = site.call(Call::get("/v1/mail/inbox/events").r#as("b")).await.events();
    let mut presence = site.call(Call::get("/v1/presence/events")).await.events();
    mail.expect("ready").await;
    presence.expect("ready").await;
    site.shutdown.cancel();
    for mut events in [mail, presence] {
        assert_eq!(events.expect("bye").await.data["reason"], "stopping");
        assert!(events.next().await.is_none());
    }
}

#[tokio::test]
async fn presence_is_told_as_it_is_and_as_it_changes() {
    let site = Site::start().await;
    let put = |name: &str, work: &str| {
        Call::new(Method::PUT, &format!("/v1/presence/{name}")).body(json!({ "current_work": work }).to_string())
    };
    site.call(put("one", "a")).await.ok().await;
    let mut events = site.call(Call::get("/v1/presence/events")).await.events();
    let joined = events.expect("presence").await;
    assert_eq!((&joined.data["change"], &joined.data["instance"]), (&json!("joined"), &json!("one")));
    assert_eq!(events.expect("ready").await.data["instances"], 1);
    site.call(put("one", "b")).await.ok().await;
    assert_eq!(events.expect("presence").await.data["change"], "updated");
    site.call(put("two", "a")).await.ok().await;
    assert_eq!(events.expect("presence").await.data["instance"], "two");
    site.call(Call::new(Method::DELETE, "/v1/presence/one")).await.ok().await;
    assert_eq!(events.expect("presence").await.data, json!({ "change": "left", "instance": "one" }));
}

#[tokio::test]
async fn silence_alone_makes_an_instance_inactive_and_then_gone() {
    let presence = PresenceRules { inactive_after_ms: 100, gone_after_ms: 300, max_instances: 10 };
    let site = Site::start_with(Setup { presence, ..Setup::default() }).await;
    site.call(Call::new(Method::PUT, "/v1/presence/one")).await.ok().await;
    let mut events = site.call(Call::get("/v1/presence/events")).await.events();
    let mut told = Vec::new();
    while told.last() != Some(&json!("left")) {
        let event = events.next().await.unwrap();
        told.extend(event.data.get("change").cloned());
    }
    assert_eq!(told, ["joined", "inactive", "left"].map(|change| json!(change)));
}

#[tokio::test]
async fn instances_register_beat_and_leave() {
    let site = Site::start().await;
    let run = |method: Method, path: &str| Call::new(method, path);
    let registered = run(Method::PUT, "/v1/presence/a%2Fb").body(r#"{"role":"backend","session_id":"s1"}"#);
    assert_eq!(site.call(registered).await.ok().await["instance"], "a/b");
    assert_eq!(site.call(Call::get("/v1/presence/a%2Fb")).await.ok().await["role"], "backend");
    let beat = run(Method::POST, "/v1/presence/a%2Fb/heartbeat");
    assert_eq!(site.call(beat).await.ok().await["changed"], true);
    let stranger = run(Method::POST, "/v1/presence/a%2Fb/heartbeat").body(r#"{"session_id":"s0"}"#);
    assert_eq!(site.call(stranger).await.ok().await["changed"], false);
    let stranger = run(Method::DELETE, "/v1/presence/a%2Fb?session_id=s0");
    assert_eq!(site.call(stranger).await.ok().await["changed"], false);
    let leave = run(Method::DELETE, "/v1/presence/a%2Fb?session_id=s1");
    assert_eq!(site.call(leave).await.ok().await["changed"], true);
    site.call(Call::get("/v1/presence/a%2Fb")).await.problem("presence.not_found").await;
    assert_eq!(site.call(Call::get("/v1/presence")).await.ok().await["instances"], json!([]));
}
