//! Conversations, live.

use super::bed::{Bed, token_until};
use http::Method;
use mainstay_core::{Clock, SystemClock};
use serde_json::json;

#[tokio::test]
async fn a_reader_sees_every_message_in_order_and_resumes_where_it_was() {
    for bed in Bed::each().await {
        let ada = bed.user("ada");
        let id = ada.begin().await;
        let path = format!("/v1/conversations/{id}/events");
        let texts: Vec<String> = (1..=150).map(|n| format!("m{n}")).collect();
        for part in texts.chunks(50) {
            ada.say(&id, &part.iter().map(String::as_str).collect::<Vec<_>>()).await;
        }
        let mut events = ada.get(&format!("{path}?after=0")).await.events();
        for seq in 1..=150_u64 {
            assert_eq!(events.expect("message").await.data["seq"], seq);
        }
        assert_eq!(events.expect("ready").await.id.as_deref(), Some("150"));
        ada.say(&id, &["live"]).await;
        assert_eq!(events.expect("message").await.data["text"], "live");
        let resume = [("last-event-id", "149")];
        let mut events = ada.call_with(&resume, Method::GET, (&path, None)).await.events();
        assert_eq!(events.expect("message").await.data["text"], "m150");
        assert_eq!(events.expect("message").await.data["text"], "live");
        events.expect("ready").await;
        let mut from_now = ada.get(&path).await.events();
        assert_eq!(from_now.expect("ready").await.id.as_deref(), Some("151"));
    }
}

#[tokio::test]
async fn a_change_that_is_no_message_is_told_and_a_deletion_ends_the_stream() {
    for bed in Bed::each().await {
        let ada = bed.user("ada");
        let id = ada.begin().await;
        let path = format!("/v1/conversations/{id}");
        let mut events = ada.get(&format!("{path}/events")).await.events();
        events.expect("ready").await;
        let patched = ada.call(Method::PATCH, &path, Some(json!({ "status": "completed" }))).await.ok().await;
        let told = events.expect("changed").await;
        assert_eq!(told.data["version"], patched["version"]);
        ada.delete(&path).await.ok().await;
        assert_eq!(events.expect("bye").await.data["reason"], "deleted");
        assert!(events.next().await.is_none());
    }
}

#[tokio::test]
async fn a_place_beyond_the_last_message_is_told_as_a_gap_and_everything_follows() {
    for bed in Bed::each().await {
        let ada = bed.user("ada");
        let id = ada.begin().await;
        ada.say(&id, &["one", "two"]).await;
        let path = format!("/v1/conversations/{id}/events");
        let mut events = ada.call_with(&[("last-event-id", "3")], Method::GET, (&path, None)).await.events();
        let gap = events.expect("gap").await;
        assert_eq!((gap.id.as_deref(), &gap.data["messageCount"]), (Some("0"), &json!(2)));
        assert_eq!(events.expect("message").await.data["text"], "one");
        assert_eq!(events.expect("message").await.data["text"], "two");
        assert_eq!(events.expect("ready").await.id.as_deref(), Some("2"));
    }
}

#[tokio::test]
async fn a_reader_that_waits_keeps_no_conversation_alive() {
    for bed in Bed::each().await {
        let ada = bed.user("ada");
        // The life is longer than the time between two reads of a waiting stream.
        let create = json!({ "retention": { "mode": "sliding", "ttlMs": 7_000 } });
        let created = ada.post("/v1/conversations", create).await.ok().await;
        let id = created["conversation"]["id"].as_str().unwrap();
        let mut events = ada.get(&format!("/v1/conversations/{id}/events")).await.events();
        events.expect("ready").await;
        assert_eq!(events.expect("bye").await.data["reason"], "deleted");
    }
}

#[tokio::test]
async fn a_reader_on_another_node_is_woken() {
    for bed in Bed::each().await {
        let beside = bed.beside(std::sync::Arc::new(mainstay_core::conversations::EchoAgent));
        let ada = bed.user("ada");
        let id = ada.begin().await;
        let mut events = beside.user("ada").get(&format!("/v1/conversations/{id}/events")).await.events();
        events.expect("ready").await;
        ada.say(&id, &["hello"]).await;
        assert_eq!(events.expect("message").await.data["text"], "hello");
        assert_eq!(events.expect("changed").await.data["messageCount"], 1);
        beside.shutdown.cancel();
        assert_eq!(events.expect("bye").await.data["reason"], "stopping");
    }
}

#[tokio::test]
async fn a_stream_ends_with_the_credential_that_opened_it() {
    let [bed, _] = Bed::each().await;
    let id = bed.user("ada").begin().await;
    // The skew that is granted to tokens ends three seconds from now.
    let until_s = SystemClock.now().as_millis() / 1_000 - 27;
    let ada = bed.node.bearer(&token_until("acme", "ada", ("member", until_s)));
    let mut events = ada.get(&format!("/v1/conversations/{id}/events")).await.events();
    events.expect("ready").await;
    assert_eq!(events.expect("bye").await.data["reason"], "credential");
    assert!(events.next().await.is_none());
}
