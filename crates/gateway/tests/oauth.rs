//! Refreshing against an authorization server over HTTP, in each of its styles.

use mainstay_core::SystemClock;
use mainstay_core::providers::credentials::{Authorizer, Issued, OAuthClient, RefreshRefusal, RefreshRequest};
use mainstay_gateway::HttpAuthorizer;
use mainstay_testkit::fixtures::{AuthorizationServer, Granting};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Asks with these settings besides the address.
async fn ask(server: &AuthorizationServer, settings: Value) -> Result<Issued, RefreshRefusal> {
    let mut all = json!({ "token_url": server.url(), "client_id": "c 1", "client_secret": "s:cret" });
    all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    let request = RefreshRequest { client: OAuthClient::parse(&all.to_string()).unwrap(), refresh_token: "r-0".into() };
    HttpAuthorizer::new(Arc::new(SystemClock)).refresh(&request).await
}

#[tokio::test]
async fn a_server_is_asked_as_it_wants_to_be() {
    let server = AuthorizationServer::start().await.unwrap();
    server.grant(Granting::Keeping);
    let issued = ask(&server, json!({ "scope": "a b" })).await.unwrap();
    assert_eq!((issued.access_token.expose_secret(), issued.refresh_token.is_none()), ("a-1", true));
    ask(&server, json!({ "auth": "basic" })).await.unwrap();
    let names = json!({ "refresh_token": "refreshToken", "client_id": "clientId", "grant_type": "" });
    ask(&server, json!({ "style": "json", "request_fields": names })).await.unwrap();
    let calls: Vec<Value> = server.calls().iter().map(|call| json!(call)).collect();
    let form = json!({ "grant_type": "refresh_token", "refresh_token": "r-0", "client_id": "c 1",
        "client_secret": "s:cret", "scope": "a b" });
    // `c+1:s%3Acret`, in base64.
    let basic = json!({ "grant_type": "refresh_token", "refresh_token": "r-0",
        "authorization": "Basic YysxOnMlM0FjcmV0" });
    let json = json!({ "refreshToken": "r-0", "clientId": "c 1", "client_secret": "s:cret" });
    assert_eq!(calls, [form, basic, json]);
}

#[tokio::test]
async fn a_silent_or_lost_answer_leaves_a_doubt_and_an_absent_server_none() {
    let server = AuthorizationServer::start().await.unwrap();
    let doubt = |outcome: Result<Issued, RefreshRefusal>| match outcome.unwrap_err() {
        RefreshRefusal::Transient { in_doubt, .. } => in_doubt,
        other => panic!("{other:?}"),
    };
    server.grant(Granting::Losing);
    assert!(doubt(ask(&server, json!({})).await));
    server.grant(Granting::Refusing(200, "", "x".repeat(100_000)));
    assert!(doubt(ask(&server, json!({})).await));
    server.hold(true);
    assert!(doubt(ask(&server, json!({ "timeout_ms": 100 })).await));
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/token", free.local_addr().unwrap());
    drop(free);
    assert!(!doubt(ask(&server, json!({ "token_url": url })).await));
}

#[tokio::test]
async fn a_server_that_asks_for_time_is_heard_and_one_that_leads_elsewhere_is_not_followed() {
    let server = AuthorizationServer::start().await.unwrap();
    server.grant(Granting::Refusing(429, "retry-after: 7\r\n", String::new()));
    let RefreshRefusal::Transient { retry_after, in_doubt, .. } = ask(&server, json!({})).await.unwrap_err() else {
        panic!("later")
    };
    assert_eq!((retry_after, in_doubt), (Some(Duration::from_secs(7)), false));
    server.grant(Granting::Refusing(307, "location: http://127.0.0.1:1/\r\n", String::new()));
    assert!(matches!(ask(&server, json!({})).await.unwrap_err(), RefreshRefusal::Misconfigured(_)));
    for url in ["http://id.example.com/token", "ftp://localhost/", "nothing"] {
        let refusal = ask(&server, json!({ "token_url": url })).await.unwrap_err();
        assert!(matches!(refusal, RefreshRefusal::Misconfigured(_)), "{url}: {refusal:?}");
    }
}
