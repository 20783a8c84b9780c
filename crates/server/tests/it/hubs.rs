//! The hubs as a client of the protocol sees them: the status of each request, and what is said over it.

use crate::support::hub::{Client, HANDSHAKE, negotiation, record};
use crate::support::{Call, KEY, SOON, Setup, Site};
use axum::body::Body;
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use mainstay_server::{OwnerKey, ServerConfig};
use serde_json::{Value, json};
use std::time::Duration;

async fn site_with(change: impl FnOnce(&mut ServerConfig)) -> Site {
    let mut config = ServerConfig::new(OwnerKey::new(KEY));
    change(&mut config);
    Site::start_with(Setup { config, ..Setup::default() }).await
}

/// Reads a stream until it holds this, or has ended.
async fn until(body: &mut Body, wanted: &str) -> String {
    let mut text = String::new();
    while !text.contains(wanted) {
        let Some(frame) = tokio::time::timeout(SOON, body.frame()).await.unwrap() else { break };
        text.push_str(std::str::from_utf8(&frame.unwrap().into_data().unwrap()).unwrap());
    }
    text
}

#[tokio::test]
async fn a_negotiation_answers_in_the_version_that_was_asked_for() {
    let site = Site::start().await;
    let answer =
        site.call(Call::new(Method::POST, &negotiation("events", "?NEGOTIATEVERSION=9&tenant=a"))).await.ok().await;
    assert_eq!(answer["negotiateVersion"], 1);
    assert_ne!(answer["connectionId"], answer["connectionToken"]);
    assert_eq!(answer.get("useStatefulReconnect"), None);
    let transports: Vec<_> =
        answer["availableTransports"].as_array().unwrap().iter().map(|t| &t["transport"]).collect();
    assert_eq!(transports, ["WebSockets", "ServerSentEvents", "LongPolling"]);
    let old = site.call(Call::new(Method::POST, &negotiation("events", ""))).await.ok().await;
    assert_eq!((&old["negotiateVersion"], old.get("connectionToken")), (&json!(0), None));
    let stateful = "?negotiateVersion=1&useStatefulReconnect=true";
    let stateful = site.call(Call::new(Method::POST, &negotiation("events", stateful))).await.ok().await;
    assert_eq!(stateful["useStatefulReconnect"], true);
    for version in ["x", "-1"] {
        let query = format!("?negotiateVersion={version}");
        let refused = site.call(Call::new(Method::POST, &negotiation("events", &query))).await.ok().await;
        let error = format!("The client requested an invalid protocol version '{version}'");
        assert_eq!(refused, json!({ "error": error }));
    }
}

#[tokio::test]
async fn requests_that_fit_no_connection_are_refused() {
    let site = Site::start().await;
    let status = async |call: Call| site.call(call).await.status.as_u16();
    assert_eq!(status(Call::get(&negotiation("events", ""))).await, 405);
    assert_eq!(status(Call::new(Method::POST, &negotiation("nothing", ""))).await, 404);
    assert_eq!(status(Call::anonymous(Method::POST, &negotiation("events", ""))).await, 401);
    assert_eq!(status(Call::get("/hubs/events")).await, 400);
    assert_eq!(status(Call::get("/hubs/events").header("accept", "text/event-stream")).await, 400);
    assert_eq!(status(Call::new(Method::POST, "/hubs/events")).await, 400);
    for call in [
        Call::get("/hubs/events?id=x"),
        Call::new(Method::POST, "/hubs/events?id=x"),
        Call::new(Method::DELETE, "/hubs/events?id=x"),
    ] {
        site.call(call).await.problem("events.connection_unknown").await;
    }
}

#[tokio::test]
async fn a_connection_over_long_polls_lives_as_its_client_expects() {
    let site = Site::start().await;
    let client = Client::polling(&site, "events").await;
    client.post(&record(json!({ "type": 1, "invocationId": "0", "target": "nothing", "arguments": [] }))).await;
    let answer: Value = serde_json::from_str(&client.poll().await[0]).unwrap();
    assert_eq!(answer, json!({ "type": 3, "invocationId": "0", "error": "Unknown hub method 'nothing'" }));

    let (first, ()) = tokio::join!(client.get(), async {
        // The second poll takes over; what comes then is for it.
        let (second, sent) = tokio::join!(client.poll(), async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            client.post(&record(json!({ "type": 1, "invocationId": "1", "target": "nothing", "arguments": [] }))).await
        });
        assert_eq!((second.len(), sent.status), (1, StatusCode::OK));
    });
    assert_eq!(first.status, StatusCode::NO_CONTENT);

    assert_eq!(client.delete().await.status, StatusCode::ACCEPTED);
    assert_eq!(client.farewell().await, json!({ "type": 7 }));
    client.get().await.problem("events.connection_unknown").await;
}

#[tokio::test]
async fn a_connection_belongs_to_its_credential_and_keeps_its_transport() {
    let site = Site::start().await;
    let other = site.key(&["events:read"]).await.token;
    let client = Client::polling(&site, "events").await;
    let foreign = Client { site: &site, path: client.path.clone(), key: other };
    foreign.get().await.problem("events.connection_unknown").await;
    foreign.post("x").await.problem("events.connection_unknown").await;
    foreign.delete().await.problem("events.connection_unknown").await;
    assert_eq!(client.stream().await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn server_sent_events_carry_one_direction_and_text_alone() {
    let site = Site::start().await;
    let client = Client::negotiate(&site, "events", KEY).await;
    let opened = client.stream().await;
    assert_eq!(
        (opened.status, &opened.headers["content-type"]),
        (StatusCode::OK, &"text/event-stream".parse().unwrap())
    );
    assert!(opened.headers["cache-control"].to_str().unwrap().contains("no-cache"));
    let mut body = opened.body;
    assert_eq!(until(&mut body, "\r\n\r\n").await, ":\r\n\r\n");
    client.post(HANDSHAKE).await;
    assert_eq!(until(&mut body, "\r\n\r\n").await, "data: {}\u{1e}\r\n\r\n");
    client.stream().await.problem("events.connection_in_use").await;
    assert_eq!(client.delete().await.status, StatusCode::BAD_REQUEST);
    drop(body);

    let binary = Client::negotiate(&site, "events", KEY).await;
    let mut body = binary.stream().await.body;
    binary.post("{\"protocol\":\"messagepack\",\"version\":1}\u{1e}").await;
    let said = until(&mut body, "nothing like this").await;
    assert!(said.contains("Cannot use the 'messagepack' protocol on the current transport."), "{said}");
}

#[tokio::test]
async fn a_browser_gives_its_credential_in_the_query() {
    let site = Site::start().await;
    let path = format!("{}&access_token={}", negotiation("events", "?negotiateVersion=1"), KEY.replace(' ', "%20"));
    site.call(Call::anonymous(Method::POST, &path)).await.ok().await;
    let wrong = negotiation("events", "?access_token=nonsense");
    site.call(Call::anonymous(Method::POST, &wrong)).await.problem("auth.credential_invalid").await;
    // Nowhere else: a query is written to more logs than a header is.
    let elsewhere = format!("/v1/whoami?access_token={}", KEY.replace(' ', "%20"));
    site.call(Call::anonymous(Method::GET, &elsewhere)).await.problem("auth.credential_missing").await;
}

#[tokio::test]
async fn a_handshake_that_fails_says_why() {
    let site = Site::start().await;
    for (request, error) in [
        ("{\"protocol\":\"xml\",\"version\":1}\u{1e}", "The protocol 'xml' is not supported."),
        (
            "{\"protocol\":\"json\",\"version\":7}\u{1e}",
            "The server does not support version 7 of the 'json' protocol.",
        ),
    ] {
        let client = Client::negotiate(&site, "events", KEY).await;
        client.get().await;
        client.post(request).await;
        let answer: Value = serde_json::from_str(&client.poll().await[0]).unwrap();
        assert_eq!(answer, json!({ "error": error }));
    }
}

#[tokio::test]
async fn a_handshake_that_does_not_come_ends_the_connection() {
    let site = site_with(|config| config.signalr.handshake_timeout = Duration::from_millis(50)).await;
    let client = Client::negotiate(&site, "events", KEY).await;
    client.get().await;
    assert_eq!(client.poll().await, ["{\"error\":\"Handshake was canceled.\"}"]);
}

#[tokio::test]
async fn a_client_that_does_not_poll_any_more_is_gone() {
    let site = site_with(|config| config.signalr.disconnect_timeout = Duration::from_millis(50)).await;
    let client = Client::polling(&site, "events").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    client.post("x").await.problem("events.connection_unknown").await;
}

#[tokio::test]
async fn a_client_that_pings_and_falls_silent_is_closed() {
    let site = site_with(|config| {
        config.signalr.client_timeout = Duration::from_millis(300);
        config.signalr.keep_alive = Duration::from_millis(50);
    })
    .await;
    let client = Client::negotiate(&site, "events", KEY).await;
    let mut body = client.stream().await.body;
    client.post(&format!("{HANDSHAKE}{}", record(json!({ "type": 6 })))).await;
    let said = until(&mut body, "\"type\":7").await;
    assert!(said.contains("{\"type\":6}"), "the server pings: {said}");
    assert!(said.contains("\"allowReconnect\":true"), "{said}");
}

#[tokio::test]
async fn what_is_no_message_ends_the_connection() {
    let site = site_with(|config| config.signalr.limits.message_bytes = 100).await;
    for (sent, error) in [
        ("nonsense\u{1e}".to_owned(), "Error reading JSON"),
        ("x".repeat(101), "The maximum message size of 100B was exceeded"),
        (record(json!({ "type": 9, "sequenceId": 1 })) + &record(json!({ "type": 3 })), "invocationId"),
    ] {
        let client = Client::polling(&site, "events").await;
        client.post(&sent).await;
        let last = client.farewell().await;
        assert!(last["error"].as_str().unwrap().contains(error) && last.get("allowReconnect").is_none(), "{last}");
    }
}

#[tokio::test]
async fn clients_are_told_to_come_back_when_the_server_stops() {
    let site = Site::start().await;
    let client = Client::polling(&site, "events").await;
    site.shutdown.cancel();
    assert_eq!(client.farewell().await["allowReconnect"], true);
}

#[tokio::test]
async fn a_connection_ends_with_its_credential() {
    let site = Site::start().await;
    let key = site.key(&["events:read"]).await;
    let client = Client::negotiate(&site, "events", &key.token).await;
    let mut body = client.stream().await.body;
    client.post(HANDSHAKE).await;
    let revoked = site.call(Call::new(Method::DELETE, &format!("/v1/keys/{}", key.key.id))).await;
    assert!(revoked.status.is_success());
    let said = until(&mut body, "\"type\":7").await;
    assert!(said.contains("its credential has ended") && !said.contains("allowReconnect"), "{said}");
}

#[tokio::test]
async fn a_connection_counts_as_a_live_stream_and_is_bounded() {
    let site = site_with(|config| config.max_live = 1).await;
    let _first = Client::polling(&site, "events").await;
    let second = Client::negotiate(&site, "events", KEY).await;
    second.get().await.problem("server.overloaded").await;
}

#[tokio::test]
async fn polls_and_messages_reach_a_connection_from_any_node() {
    let site = Site::start().await;
    let other = site.beside().await;
    let here = Client::negotiate(&site, "events", KEY).await;
    let there = Client { site: &other, path: here.path.clone(), key: KEY.into() };
    assert_eq!(there.get().await.status, StatusCode::OK);
    assert_eq!(here.post(HANDSHAKE).await.status, StatusCode::OK);
    assert_eq!(here.poll().await, ["{}"], "the answer came from the other node");
    for (sender, poller) in [(&here, &there), (&there, &here), (&here, &here)] {
        let call = record(json!({ "type": 1, "invocationId": "0", "target": "nothing", "arguments": [] }));
        assert_eq!(sender.post(&call).await.status, StatusCode::OK);
        assert!(poller.poll().await[0].contains("Unknown hub method 'nothing'"));
    }
    let foreign = Client { site: &site, path: here.path.clone(), key: site.key(&["events:read"]).await.token };
    foreign.get().await.problem("events.connection_unknown").await;
    foreign.post("x").await.problem("events.connection_unknown").await;
    assert_eq!(here.delete().await.status, StatusCode::ACCEPTED);
    assert_eq!(here.farewell().await, json!({ "type": 7 }));
}

#[tokio::test]
async fn events_come_from_one_node_and_messages_go_to_another() {
    let site = Site::start().await;
    let other = site.beside().await;
    let here = Client::negotiate(&site, "events", KEY).await;
    let there = Client { site: &other, path: here.path.clone(), key: KEY.into() };
    let mut body = there.stream().await.body;
    assert_eq!(here.post(HANDSHAKE).await.status, StatusCode::OK);
    assert!(until(&mut body, "{}\u{1e}").await.contains("data: {}"));
    here.stream().await.problem("events.connection_unknown").await;
    drop(body);
}

#[tokio::test]
async fn of_two_that_open_a_connection_at_the_same_time_one_does() {
    let site = Site::start().await;
    let other = site.beside().await;
    let here = Client::negotiate(&site, "events", KEY).await;
    let there = Client { site: &other, path: here.path.clone(), key: KEY.into() };
    let (one, two, three) = tokio::join!(here.stream(), there.stream(), here.stream());
    let opened = [&one, &two, &three].into_iter().filter(|reply| reply.status == StatusCode::OK).count();
    assert_eq!(opened, 1, "{} {} {}", one.status, two.status, three.status);
}
