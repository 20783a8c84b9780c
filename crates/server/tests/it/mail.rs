//! Mail over HTTP.

use crate::support::{Call, Site, message};
use http::{Method, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::time::Duration;

fn send(from: &str, body: Value) -> Call {
    Call::post("/v1/mail/messages", body).r#as(from)
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

#[tokio::test]
async fn a_message_is_stored_where_the_answer_says_and_its_repetition_is_told() {
    let site = Site::start().await;
    let first = site.call(send("a", message(&["b"], "s")).header("idempotency-key", "\"k-1\"")).await;
    assert_eq!(first.status, StatusCode::CREATED);
    let location = first.headers["location"].to_str().unwrap().to_owned();
    let first = first.ok().await;
    let again = site.call(send("a", message(&["b"], "s")).header("idempotency-key", "k-1")).await;
    assert_eq!((again.status, &again.headers["location"]), (StatusCode::OK, &location.parse().unwrap()));
    let again = again.ok().await;
    assert_eq!((&first["replayed"], &again["replayed"]), (&json!(false), &json!(true)));
    assert_eq!(first["message"]["id"], again["message"]["id"]);
    assert_eq!(site.call(Call::get(&location)).await.ok().await["id"], first["message"]["id"]);
    let other = send("a", message(&["b"], "other")).header("idempotency-key", "k-1");
    site.call(other).await.problem("request.id_reused").await;
    let metrics = site.call(Call::get("/metrics")).await.text().await;
    assert!(metrics.contains("mainstay_mail_sent_total{type=\"GENERAL\"} 1\n"), "{metrics}");
}

#[tokio::test]
async fn hostile_ids_are_read_and_acknowledged_like_any_other() {
    let site = Site::start().await;
    for id in ["a:b", "{x}", "*", "a/b", "line\nbreak", "日本語", "%2F", "a?b#c", " ", "..", &"🦀".repeat(300)] {
        let mut body = message(&["b"], "s");
        body["id"] = json!(id);
        let sent = site.call(send("a", body)).await;
        let location = sent.headers["location"].to_str().unwrap().to_owned();
        assert_eq!(sent.ok().await["message"]["id"], id);
        assert_eq!(site.call(Call::get(&location)).await.ok().await["id"], id);
        let ack = Call::new(Method::POST, &format!("{location}/ack")).r#as("b");
        assert_eq!(site.call(ack).await.ok().await["ack"]["by"], "b");
    }
}

#[tokio::test]
async fn the_first_acknowledgement_stands_and_what_is_not_there_is_an_answer() {
    let site = Site::start().await;
    let sent = site.call(send("a", message(&["b"], "s"))).await.ok().await;
    let path = format!("/v1/mail/messages/{}/ack", sent["message"]["id"].as_str().unwrap());
    let ack = |by: &str, comment: &str| Call::post(&path, json!({ "comment": comment })).r#as(by);
    assert_eq!(site.call(ack("b", "first")).await.ok().await["already"], false);
    let again = site.call(ack("b", "second")).await.ok().await;
    assert_eq!((&again["already"], &again["ack"]["comment"]), (&json!(true), &json!("first")));
    site.call(ack("c", "not mine")).await.problem("mail.not_a_recipient").await;
    let missing = Call::new(Method::POST, "/v1/mail/messages/nope/ack").r#as("b");
    site.call(missing).await.problem("mail.not_found").await;
    site.call(Call::get("/v1/mail/messages/nope")).await.problem("mail.not_found").await;
    let metrics = site.call(Call::get("/metrics")).await.text().await;
    assert!(metrics.contains("mainstay_mail_acknowledged_total 1\n"), "{metrics}");
}

#[tokio::test]
async fn lists_are_filtered_and_followed_by_their_cursor() {
    let site = Site::start().await;
    for number in 0..5 {
        site.call(send("a", message(&["b", "日 本"], &format!("Number {number}")))).await.ok().await;
    }
    let to = encoded("日 本");
    let path = format!("/v1/mail/messages?recipient={to}&pending=true&subject=NUMBER&oldest_first=true&limit=3");
    let page = site.call(Call::get(&path)).await.ok().await;
    assert_eq!(page["items"].as_array().unwrap().len(), 3);
    let next = encoded(page["next"].as_str().unwrap());
    let page = site.call(Call::get(&format!("{path}&cursor={next}"))).await.ok().await;
    let subjects: Vec<_> = page["items"].as_array().unwrap().iter().map(|item| &item["subject"]).collect();
    assert_eq!(subjects, ["Number 3", "Number 4"]);
    assert!(page.get("next").is_none());
    site.call(Call::get("/v1/mail/messages?cursor=x")).await.problem("page.invalid_cursor").await;
    let elsewhere = Call::get("/v1/mail/messages").header("mainstay-namespace", "other");
    assert_eq!(site.call(elsewhere).await.ok().await["items"], json!([]));
}

#[tokio::test]
async fn what_was_read_is_marked_counted_and_imported() {
    let site = Site::start().await;
    let sent = site.call(send("a", message(&["b"], "s"))).await.ok().await;
    let counts = async || site.call(Call::get("/v1/mail/counts").r#as("b")).await.ok().await;
    assert_eq!(counts().await, json!({ "total": 1, "unread": 1, "pending": 1 }));
    let mark = Call::post("/v1/mail/inbox/read", json!({ "ids": [sent["message"]["id"]] })).r#as("b");
    assert_eq!(site.call(mark).await.ok().await["marked"], 1);
    assert_eq!(counts().await["unread"], 0);
    let content = json!({
        "id": "old-1", "type": "GENERAL", "from": "x", "to": ["b"], "timestamp": "2026-01-01T00:00:00Z",
        "subject": "imported", "requires_ack": false
    });
    let import = || Call::post("/v1/mail/import", json!({ "messages": [{ "content": content }] }));
    assert_eq!(site.call(import()).await.ok().await["outcomes"], json!(["created"]));
    assert_eq!(site.call(import()).await.ok().await["outcomes"], json!(["unchanged"]));
    assert_eq!(site.call(Call::get("/v1/mail/stats")).await.ok().await["total_messages"], 2);
    let types = site.call(Call::get("/v1/mail/types")).await.ok().await;
    assert_eq!(types["types"][0], "READY_FOR_REVIEW");
}

#[tokio::test]
async fn a_call_that_needs_an_instance_says_so() {
    let site = Site::start().await;
    let send = Call::post("/v1/mail/messages", message(&["b"], "s"));
    site.call(send).await.problem("auth.instance_missing").await;
    for path in ["/v1/mail/inbox?wait_ms=5000", "/v1/mail/inbox", "/v1/mail/inbox/events", "/v1/mail/counts"] {
        site.call(Call::get(path)).await.problem("auth.instance_missing").await;
    }
}

#[tokio::test]
async fn a_long_poll_wakes_when_mail_arrives_and_goes_on_from_its_position() {
    let site = Site::start().await;
    let waiting = site.call(Call::get("/v1/mail/inbox?wait_ms=20000").r#as("b"));
    let sending = async {
        // Long enough for the poll to have found nothing; were it later still, it would find the message at once.
        while site.services.hub.watches() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        site.call(send("a", message(&["b"], "wake up"))).await.ok().await
    };
    let (inbox, sent) = tokio::join!(waiting, sending);
    let inbox = inbox.ok().await;
    assert_eq!(inbox["messages"][0]["id"], sent["message"]["id"]);
    assert_eq!(site.services.hub.watches(), 0);
    let after = encoded(inbox["position"].as_str().unwrap());
    let empty = site.call(Call::get(&format!("/v1/mail/inbox?after={after}&wait_ms=20")).r#as("b")).await.ok().await;
    assert_eq!(empty["messages"], json!([]));
}

#[tokio::test]
async fn a_long_poll_that_filters_waits_on_past_what_it_does_not_want() {
    let site = Site::start().await;
    let waiting = site.call(Call::get("/v1/mail/inbox?wait_ms=20000&sender=wanted").r#as("b"));
    let sending = async {
        site.call(send("other", message(&["b"], "no"))).await.ok().await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        site.call(send("wanted", message(&["b"], "yes"))).await.ok().await;
    };
    let (inbox, ()) = tokio::join!(waiting, sending);
    assert_eq!(inbox.ok().await["messages"][0]["subject"], "yes");
}

#[tokio::test]
async fn a_long_poll_ends_at_once_when_the_server_stops() {
    let site = Site::start().await;
    let waiting = site.call(Call::get("/v1/mail/inbox?wait_ms=60000").r#as("b"));
    let stopping = async {
        while site.services.hub.watches() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        site.shutdown.cancel();
    };
    let (inbox, ()) =
        tokio::time::timeout(crate::support::SOON, async { tokio::join!(waiting, stopping) }).await.unwrap();
    assert_eq!(inbox.ok().await["messages"], json!([]));
}
