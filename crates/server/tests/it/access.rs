//! What a credential allows, on every route, and for how long.

use crate::support::{Call, Site, filled};
use http::{Method, StatusCode};
use mainstay_core::Caller;
use mainstay_core::api::identity::CreateKey;
use serde_json::json;

#[tokio::test]
async fn every_route_refuses_a_caller_without_its_scope_before_anything_else() {
    let site = Site::start().await;
    let (metrics, mail) = (site.key(&["metrics:read"]).await.token, site.key(&["mail:read"]).await.token);
    let mut refused = 0;
    for (route, needs) in mainstay_server::route_needs() {
        let (method, path) = route.split_once(' ').unwrap();
        let call = Call::new(method.parse::<Method>().unwrap(), &filled(path));
        if needs.contains(':') {
            let lacking = if needs == "metrics:read" { &mail } else { &metrics };
            let problem = site.call(call.with(lacking)).await.problem("auth.forbidden").await;
            assert!(problem["detail"].as_str().unwrap().contains(&needs), "{route}: {problem}");
            refused += 1;
        }
    }
    assert!(refused > 15);
}

#[tokio::test]
async fn a_key_is_valid_where_it_was_made_for_and_speaks_for_nobody_else() {
    let site = Site::start().await;
    let create = CreateKey {
        name: "backend".into(),
        role: Some("member".into()),
        namespaces: vec!["shop".parse().unwrap()],
        instance: Some("backend".parse().unwrap()),
        ..CreateKey::default()
    };
    let key = site.services.identity.create_key(&Caller::owner(), create).await.unwrap().token;
    let who = site.call(Call::get("/v1/whoami").with(&key)).await.ok().await;
    assert_eq!((&who["namespace"], &who["instance"]), (&json!("shop"), &json!("backend")));
    let elsewhere = Call::get("/v1/mail/messages").header("mainstay-namespace", "other").with(&key);
    site.call(elsewhere).await.problem("auth.forbidden").await;
    let as_other = Call::get("/v1/mail/messages").r#as("frontend").with(&key);
    site.call(as_other).await.problem("auth.forbidden").await;
    let send = Call::post("/v1/mail/messages", crate::support::message(&["frontend"], "s")).with(&key);
    let sent = site.call(send).await.ok().await;
    assert_eq!(sent["message"]["from"], "backend");
}

#[tokio::test]
async fn the_secret_of_a_key_stands_nowhere_in_the_store() {
    let site = Site::start().await;
    let key = site.key(&["mail:read"]).await;
    // The secret is base64url and may hold `_` itself.
    let secret = key.token.splitn(3, '_').nth(2).unwrap().to_owned();
    let mut kept = String::new();
    for name in ["keys", "ksec", "kexp", "kused"] {
        let fields = site.store.cli(&["HGETALL", &format!("mainstay:{{identity}}:{name}")]).await.unwrap();
        kept.push_str(&format!("{fields:?}"));
    }
    assert!(kept.contains(key.key.id.as_str()), "{kept}");
    assert!(!kept.contains(&secret) && !kept.contains(&key.token), "{kept}");
}

#[tokio::test]
async fn a_stream_ends_with_the_key_that_opened_it() {
    let site = Site::start().await;
    let key = site.key(&["presence:read"]).await;
    let reply = site.call(Call::get("/v1/presence/events").with(&key.token)).await;
    assert_eq!(reply.status, StatusCode::OK);
    let mut events = reply.events();
    events.expect("ready").await;
    site.services.identity.revoke_key(&Caller::owner(), &key.key.id).await.unwrap();
    assert_eq!(events.expect("bye").await.data, json!({ "reason": "credential" }));
    assert!(events.next().await.is_none());
    site.call(Call::get("/v1/presence").with(&key.token)).await.problem("auth.credential_invalid").await;
}
