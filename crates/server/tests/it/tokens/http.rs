//! Tokens over HTTP: what a client is told, and what a token opens.

use super::issuer::*;
use crate::support::{Call, KEY, Setup, Site};
use http::{Method, Request, StatusCode};
use mainstay_server::identity::tokens::{KeyOrigin, TokenVerifier};
use mainstay_server::{InProcess, OwnerKey, ServerConfig};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// A site that trusts the issuer of a signer.
async fn site(signer: &Signer) -> Site {
    let Trusting { verifier, file, .. } = Trusting::keys([&signer.jwk]);
    let _kept_for_the_process = file.keep().unwrap();
    let config = ServerConfig { tokens: Some(Arc::new(verifier)), ..ServerConfig::new(OwnerKey::new(KEY)) };
    Site::start_with(Setup { config, ..Setup::default() }).await
}

fn request(method: Method, path: &str, token: &str) -> Request<axum::body::Body> {
    let builder = Request::builder().method(method).uri(path).extension(InProcess);
    builder.header("authorization", format!("Bearer {token}")).body(axum::body::Body::empty()).unwrap()
}

#[tokio::test]
async fn each_refusal_has_its_status_its_name_and_its_challenge() {
    let signer = Signer::es256("k");
    let site = site(&signer).await;
    let with = |changes: Value| signer.token(&claims_with(changes));
    let cases = [
        (Signer::es256("k").token(&claims()), 401, "auth.credential_invalid", "token_invalid"),
        ("e30.e30.".into(), 401, "auth.credential_invalid", "token_invalid"),
        (with(json!({ "exp": NOW_S - 60 })), 401, "auth.token_expired", "token_expired"),
        (with(json!({ "aud": "another" })), 401, "auth.audience_mismatch", "audience_mismatch"),
        (with(json!({ "iss": "https://another.example" })), 401, "auth.issuer_mismatch", "issuer_mismatch"),
        (with(json!({ "tid": "globex" })), 403, "auth.tenant_not_allowed", "tenant_not_allowed"),
    ];
    for (token, status, code, error) in cases {
        let reply = site.send(request(Method::GET, "/v1/whoami", &token)).await;
        assert_eq!(reply.status.as_u16(), status, "{code}");
        let challenge = reply.headers.get("www-authenticate").map(|value| value.to_str().unwrap().to_owned());
        match status {
            401 => assert!(challenge.unwrap().contains(&format!("error_description=\"{error}\"")), "{code}"),
            _ => assert_eq!(challenge, None),
        }
        let problem = reply.json().await;
        assert_eq!((problem["code"].as_str(), problem["error"].as_str()), (Some(code), Some(error)));
        assert!(!problem.to_string().contains(&token), "a token is never sent back");
    }
    let anonymous = Request::builder().uri("/v1/whoami").extension(InProcess).body(axum::body::Body::empty()).unwrap();
    let reply = site.send(anonymous).await;
    assert_eq!(reply.headers["www-authenticate"], "Bearer realm=\"mainstay\"");
    assert_eq!(reply.json().await["error"], "token_missing");
}

#[tokio::test]
async fn a_bearer_is_who_the_token_says_whatever_the_headers_claim() {
    let signer = Signer::es256("k");
    let site = site(&signer).await;
    let ada = signer.token(&claims());
    let who = site.send(request(Method::GET, "/v1/whoami", &ada)).await.ok().await;
    assert_eq!(who["principal"], "token:team:acme:ada");
    assert_eq!(who["subject"], json!({ "realm": "team", "tenant": "acme", "user": "ada" }));

    let mut as_another = request(Method::GET, "/v1/whoami", &ada);
    as_another.headers_mut().insert("mainstay-instance", "bob".parse().unwrap());
    assert_eq!(site.send(as_another).await.status, StatusCode::FORBIDDEN);

    let mut elsewhere = request(Method::GET, "/v1/mail/messages", &ada);
    elsewhere.headers_mut().insert("mainstay-namespace", "another".parse().unwrap());
    assert_eq!(site.send(elsewhere).await.status, StatusCode::FORBIDDEN);
    assert_eq!(site.send(request(Method::GET, "/v1/mail/messages", &ada)).await.status, StatusCode::OK);

    let twice = Call::get("/v1/whoami").header("authorization", &format!("Bearer {ada}"));
    assert_eq!(site.call(twice).await.json().await["code"], "auth.credential_invalid");
}

#[tokio::test]
async fn an_issuer_that_never_answers_holds_callers_within_the_bounds_of_a_request() {
    let signer = Signer::es256("k");
    let issuer = super::issuer::Site::start([&signer.jwk]).await;
    issuer.published.lock().unwrap().held = Some(Arc::new(Semaphore::new(0)));
    let trusted = config(KeyOrigin::Url(issuer.at("/keys")));
    let config = ServerConfig {
        tokens: Some(Arc::new(TokenVerifier::new(vec![trusted], clock()).unwrap())),
        request_timeout_ms: 200,
        max_in_flight: 1,
        ..ServerConfig::new(OwnerKey::new(KEY))
    };
    let site = Site::start_with(Setup { config, ..Setup::default() }).await;
    let token = signer.token(&claims());
    // One that is answered at once, one that streams, one that waits for an agent.
    let routes = [
        (Method::GET, "/v1/whoami"),
        (Method::GET, "/v1/presence/events"),
        (Method::POST, "/v1/conversations/c1/send"),
    ];
    for (method, path) in routes {
        let call = || site.send(request(method.clone(), path, &token));
        let (first, second) = tokio::join!(call(), call());
        first.problem("request.timed_out").await;
        second.problem("server.overloaded").await;
    }
    // Nobody keeps a place behind.
    assert_eq!(site.call(Call::get("/v1/whoami")).await.status, StatusCode::OK);
}
