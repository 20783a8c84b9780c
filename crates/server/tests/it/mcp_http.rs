//! The endpoint over HTTP: both protocols, subscriptions, refusals.

use crate::mcp_support::{Http, LEGACY, MODERN, Site, result_of, uri_of, with_meta};
use crate::support::SOON;
use axum::body::Body;
use mainstay_core::mail::MailRules;
use mainstay_server::mcp::HttpOptions;
use serde_json::{Value, json};

async fn send(client: &Http, to: &str) {
    client.done("mail_send", json!({"to": [to], "subject": "ping"})).await;
}

#[tokio::test]
async fn a_client_of_the_current_protocol_discovers_the_server() {
    let site = Site::start().await;
    let found = site.modern("backend").result("server/discover", json!({})).await;
    let versions = found["supportedVersions"].as_array().unwrap();
    assert!(versions.contains(&json!(MODERN)) && versions.contains(&json!(LEGACY)));
    assert_eq!(found["capabilities"]["resources"]["subscribe"], true);
    assert_eq!(found["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "mainstay");
    assert!(found["instructions"].as_str().unwrap().contains("mail_inbox"));
}

#[tokio::test]
async fn clients_of_earlier_protocols_get_the_version_that_they_speak() {
    let site = Site::start().await;
    let client = site.legacy("backend");
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", LEGACY] {
        let params =
            json!({"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        let mut request = client.request(&client.message("initialize", params));
        // Not agreed upon yet.
        request.headers_mut().remove("mcp-protocol-version");
        let reply = client.send(request).await;
        assert!(reply.headers.contains_key("mcp-session-id"), "some clients open the stream only with a session");
        let result = result_of(reply.json().await);
        assert_eq!((&result["protocolVersion"], &result["serverInfo"]["name"]), (&json!(version), &json!("mainstay")));
    }
    let ready = client.request(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    assert_eq!(client.send(ready).await.status, 202);
    assert_eq!(client.result("ping", json!({})).await, json!({}));
}

#[tokio::test]
async fn any_request_is_answered_without_one_before_it() {
    let site = Site::start().await;
    for client in [site.modern("backend"), site.legacy("backend")] {
        assert_eq!(client.done("whoami", json!({})).await["instance"], "backend");
    }
}

#[tokio::test]
async fn protocol_errors_have_the_codes_of_the_protocol() {
    let site = Site::start().await;
    for client in [site.modern("backend"), site.legacy("backend")] {
        let code = async |method: &str, params: Value| client.ask(method, params).await["error"]["code"].clone();
        assert_eq!(code("tools/call", json!({"name": "nope", "arguments": {}})).await, -32602);
        assert_eq!(code("tools/call", json!({"name": "whoami", "arguments": [1]})).await, -32602);
        assert_eq!(code("tools/list", json!({"cursor": "x"})).await, -32602);
        assert_eq!(code("no/such", json!({})).await, -32601);
    }
    let modern = site.modern("backend");
    let unknown = with_meta(json!({"name": "whoami", "arguments": {}}), "2027-01-01");
    let message = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": unknown});
    let mut request = modern.request(&message);
    request.headers_mut().insert("mcp-protocol-version", "2027-01-01".parse().unwrap());
    let error = modern.send(request).await.json().await["error"].clone();
    assert_eq!(error["code"], -32022, "{error}");
}

#[tokio::test]
async fn a_request_without_the_credential_reaches_nothing() {
    let site = Site::start().await;
    let client = site.modern("backend");
    for mut request in [
        client.request(&client.message("tools/list", json!({}))),
        site.legacy("backend").get("GET").body(Body::empty()).unwrap(),
    ] {
        request.headers_mut().remove("authorization");
        let reply = client.send(request).await;
        assert_eq!(reply.status, 401);
        assert_eq!(reply.json().await["code"], "auth.credential_missing");
    }
}

#[tokio::test]
async fn what_is_no_message_is_refused_as_a_problem() {
    let site =
        Site::start_with(MailRules::default(), HttpOptions { max_body_bytes: 1_024, ..HttpOptions::default() }).await;
    let client = site.legacy("backend");
    let post =
        |body: String| client.get("POST").header("content-type", "application/json").body(Body::from(body)).unwrap();
    let message = client.message("ping", json!({})).to_string();
    let mut plain = post(message.clone());
    plain.headers_mut().insert("content-type", "text/plain".parse().unwrap());
    let mut deaf = post(message.clone());
    deaf.headers_mut().insert("accept", "text/html".parse().unwrap());
    let put = client.get("PUT").body(Body::empty()).unwrap();
    let large =
        post(json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"x": "y".repeat(2_000)}}).to_string());
    for (request, status) in [(plain, 415), (deaf, 406), (post("{".into()), 415), (put, 405), (large, 413)] {
        let reply = client.send(request).await;
        assert_eq!(reply.status, status);
        assert_eq!(reply.headers["content-type"], "application/problem+json");
        let problem = reply.json().await;
        assert_eq!(problem["status"], status, "{problem}");
        assert!(problem["help"].as_str().unwrap().contains("JSON") || status != 415, "{problem}");
    }
}

#[tokio::test]
async fn a_listening_client_is_told_of_its_own_mail_and_of_presence() {
    let site = Site::start().await;
    let (backend, frontend) = (site.modern("backend"), site.modern("frontend"));
    let uris = ["mailbox://me", "mailbox://backend", "presence://instances", "bogus://x"];
    let params = json!({"notifications": {"resourceSubscriptions": uris}});
    let mut events = frontend.stream(frontend.request(&frontend.message("subscriptions/listen", params))).await;
    let accepted = events.next().await.unwrap();
    assert_eq!(accepted["method"], "notifications/subscriptions/acknowledged");
    let honored = &accepted["params"]["notifications"]["resourceSubscriptions"];
    assert_eq!(honored, &json!(["mailbox://me", "presence://instances"]));
    send(&backend, "backend").await;
    send(&backend, "frontend").await;
    assert_eq!(events.updated().await, "mailbox://me");
    backend.done("presence_register", json!({})).await;
    assert_eq!(events.updated().await, "presence://instances");
    site.shutdown.cancel();
    let last = events.next().await.unwrap();
    assert_eq!((&last["id"], last["result"].is_object()), (&json!(7), true), "the end of the server is an answer");
}

#[tokio::test]
async fn who_listens_late_is_told_of_the_mail_that_waits() {
    let site = Site::start().await;
    send(&site.modern("backend"), "frontend").await;
    let frontend = site.modern("frontend");
    let params = json!({"notifications": {"resourceSubscriptions": ["mailbox://frontend"]}});
    let mut events = frontend.stream(frontend.request(&frontend.message("subscriptions/listen", params))).await;
    events.next().await.unwrap();
    assert_eq!(events.updated().await, "mailbox://frontend");
}

#[tokio::test]
async fn an_earlier_client_is_told_over_the_stream_of_the_endpoint() {
    let site = Site::start().await;
    let (backend, frontend) = (site.legacy("backend"), site.legacy("frontend"));
    for uri in ["mailbox://me", "mailbox://frontend", "presence://instances"] {
        frontend.result("resources/subscribe", json!({"uri": uri})).await;
    }
    let refused = frontend.ask("resources/subscribe", json!({"uri": "mailbox://backend"})).await["error"].clone();
    assert_eq!(refused["code"], -32602, "{refused}");
    assert!(refused["message"].as_str().unwrap().contains("mailbox://me"));
    let missing = frontend.ask("resources/subscribe", json!({"uri": "bogus://x"})).await["error"].clone();
    assert_eq!(missing["code"], -32002, "{missing}");

    let mut events = frontend.stream(frontend.get("GET").body(Body::empty()).unwrap()).await;
    send(&backend, "frontend").await;
    assert_eq!(events.updated().await, "mailbox://me");
    assert_eq!(events.updated().await, "mailbox://frontend");
    site.shutdown.cancel();
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn the_current_protocol_has_no_stream_of_its_own() {
    let site = Site::start().await;
    let modern = site.modern("backend");
    let reply = modern.send(modern.get("GET").body(Body::empty()).unwrap()).await;
    assert_eq!((reply.status.as_u16(), &reply.headers["allow"]), (405, &"POST".parse().unwrap()));
}

#[tokio::test]
async fn waits_and_streams_have_a_bound() {
    let site = Site::start_with(MailRules::default(), HttpOptions { max_waits: 1, ..HttpOptions::default() }).await;
    let client = site.legacy("backend");
    let held = client.stream(client.get("GET").body(Body::empty()).unwrap()).await;
    let refused = client.send(client.get("GET").body(Body::empty()).unwrap()).await;
    assert_eq!(refused.status, 503);
    let waited = client.tool("mail_wait", json!({"wait_ms": 1})).await;
    assert_eq!(waited["_meta"]["dev.mainstay/error"]["code"], "server.overloaded");
    drop(held);
    tokio::time::timeout(SOON, async {
        while client.tool("mail_wait", json!({"wait_ms": 1})).await["isError"] != false {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("a place becomes free when the stream ends");
}

#[tokio::test]
async fn a_notification_names_the_mailbox_of_a_name_that_needs_encoding() {
    let site = Site::start().await;
    let mut reader = site.legacy("reader");
    reader.instance = Some("a%2Fb%20c".into());
    let mut events = reader.stream(reader.get("GET").body(Body::empty()).unwrap()).await;
    send(&site.modern("backend"), "a/b c").await;
    assert_eq!(uri_of(&events.next().await.unwrap()), "mailbox://me");
    assert_eq!(uri_of(&events.next().await.unwrap()), "mailbox://a%2Fb%20c");
}

#[tokio::test]
async fn any_node_answers_any_request() {
    let one = Site::start().await;
    let other = one.beside().await;
    let listening = other.modern("frontend");
    let params = json!({"notifications": {"resourceSubscriptions": ["mailbox://me"]}});
    let mut events = listening.stream(listening.request(&listening.message("subscriptions/listen", params))).await;
    events.next().await.unwrap();
    for _ in 0..2 {
        send(&one.modern("backend"), "frontend").await;
    }
    assert_eq!(events.updated().await, "mailbox://me");
    let first = one.modern("frontend").done("mail_list", json!({"limit": 1})).await;
    let second = other.modern("frontend").done("mail_list", json!({"limit": 1, "cursor": first["next"]})).await;
    assert_ne!(first["messages"][0]["id"], second["messages"][0]["id"]);
    let page = one.modern("frontend").done("mail_inbox", json!({"limit": 1})).await;
    let rest = other.modern("frontend").done("mail_inbox", json!({"after": page["position"]})).await;
    assert_eq!(rest["messages"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_store_that_is_away_is_told_as_such_and_a_subscription_survives_it() {
    let site = Site::start().await;
    let (backend, frontend) = (site.modern("backend"), site.modern("frontend"));
    let params = json!({"notifications": {"resourceSubscriptions": ["mailbox://me"]}});
    let mut events = frontend.stream(frontend.request(&frontend.message("subscriptions/listen", params))).await;
    events.next().await.unwrap();
    site.store.stop().await.unwrap();
    let failed = backend.tool("mail_counts", json!({})).await;
    let meta = &failed["_meta"]["dev.mainstay/error"];
    assert_eq!((&meta["code"], &meta["retryable"]), (&json!("store.unavailable"), &json!(true)), "{failed}");
    let error = backend.ask("resources/read", json!({"uri": "presence://instances"})).await["error"].clone();
    assert_eq!((&error["code"], &error["data"]["code"]), (&json!(-32003), &json!("store.unavailable")), "{error}");
    site.store.restart().await.unwrap();
    tokio::time::timeout(SOON, async {
        while backend.tool("mail_send", json!({"to": ["frontend"], "subject": "ping"})).await["isError"] != false {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await
    .expect("the store comes back");
    assert_eq!(events.updated().await, "mailbox://me");
}
