//! What the server records by itself, whatever the handlers do.

use crate::support::{Call, Site};
use http::{Method, Request};
use mainstay_core::Caller;
use mainstay_core::api::Namespace;
use mainstay_core::api::audit::ChainId;
use mainstay_core::api::identity::CreateKey;
use mainstay_core::audit::{Order, PageQuery};
use serde_json::{Value, json};

/// Every entry of a chain, oldest first, as it is stored.
async fn entries(site: &Site, chain: ChainId) -> Vec<Value> {
    let query = PageQuery { chain, order: Order::After(0), limit: 1_000 };
    let stored = site.stores.audit.page(query).await.unwrap();
    stored.iter().map(|entry| serde_json::from_str(&entry.body).unwrap()).collect()
}

fn default_chain() -> ChainId {
    ChainId::Namespace(Namespace::default())
}

#[tokio::test]
async fn what_changes_something_is_recorded_before_and_after() {
    let site = Site::start().await;
    let import = Call::post("/v1/mail/import", json!({ "messages": [] }))
        .header("x-request-id", "req-7")
        .header("x-correlation-id", "visit-1");
    site.call(import).await.ok().await;
    let told = entries(&site, default_chain()).await;
    let of = |entry: &Value| (entry["action"].clone(), entry["outcome"].clone(), entry["of"].clone());
    assert_eq!(of(&told[0]), (json!("mail.import"), json!("started"), Value::Null));
    assert_eq!(of(&told[1]), (json!("mail.import"), json!("success"), told[0]["seq"].clone()));
    for entry in &told {
        let who = (&entry["principal"], &entry["from"], &entry["request_id"], &entry["correlation_id"]);
        assert_eq!(who, (&json!("owner"), &json!("this process"), &json!("req-7"), &json!("visit-1")));
    }
    assert_eq!(told[1]["status"], 200);
}

#[tokio::test]
async fn an_act_that_is_refused_says_so_in_its_second_entry() {
    let site = Site::start().await;
    site.call(Call::new(Method::POST, "/v1/mail/import").body("{")).await.problem("request.invalid").await;
    let told = entries(&site, default_chain()).await;
    assert_eq!((&told[1]["outcome"], &told[1]["code"]), (&json!("refused"), &json!("request.invalid")));
}

#[tokio::test]
async fn who_has_no_valid_credential_is_recorded_in_the_chain_of_the_server_and_a_flood_is_not() {
    let site = Site::start().await;
    for _ in 0..70 {
        let request =
            Request::builder().uri("/v1/whoami").header("host", "localhost").header("authorization", "Bearer x");
        let reply = site.send(request.body(axum::body::Body::empty()).unwrap()).await;
        reply.problem("auth.credential_invalid").await;
    }
    let told = entries(&site, ChainId::Server).await;
    assert_eq!(told.len(), 60);
    let first = &told[0];
    assert_eq!((&first["principal"], &first["action"]), (&json!("anonymous"), &json!("access.refused")));
    assert_eq!((&first["code"], &first["class"]), (&json!("auth.credential_invalid"), &json!("access")));
    assert!(entries(&site, default_chain()).await.is_empty());
    let metrics = site.call(Call::get("/metrics")).await.text().await;
    assert!(metrics.contains("mainstay_access_refused_total{code=\"auth.credential_invalid\"} 70\n"), "{metrics}");
}

#[tokio::test]
async fn an_act_that_cannot_be_recorded_does_not_take_place() {
    let site = Site::start().await;
    let message = json!({
        "id": "m1", "type": "GENERAL", "from": "a", "to": ["b"], "timestamp": "2026-11-20T00:00:00Z",
        "subject": "s", "body": "", "requires_ack": true,
    });
    // The chain's head is something else, so that nothing can be appended to it.
    let head = "mainstay:{audit.namespace%3Adefault}:meta";
    site.store.cli(&["SET", head, "broken"]).await.unwrap();
    let import = Call::post("/v1/mail/import", json!({ "messages": [message] }));
    let reply = site.call(import).await;
    assert!(reply.status.is_server_error(), "{}", reply.status);
    let listed = site.call(Call::get("/v1/mail/messages").r#as("b")).await.ok().await;
    assert_eq!(listed["items"], json!([]));
}

#[tokio::test]
async fn a_refusal_in_a_namespace_that_one_has_nothing_to_do_with_makes_no_chain_there() {
    let site = Site::start().await;
    let create = CreateKey {
        name: "k".into(),
        role: Some("viewer".into()),
        namespaces: vec!["shop".parse().unwrap()],
        ..CreateKey::default()
    };
    let key = site.services.identity.create_key(&Caller::owner(), create).await.unwrap().token;
    let call = Call::get("/v1/mail/stats").header("mainstay-namespace", "foreign").with(&key);
    site.call(call).await.problem("auth.forbidden").await;
    assert!(entries(&site, ChainId::Namespace(Namespace::parse("foreign").unwrap())).await.is_empty());
    let told = entries(&site, ChainId::Server).await;
    assert_eq!(told.last().unwrap()["code"], "auth.forbidden");
}

#[tokio::test]
async fn the_owner_of_one_namespace_reads_and_trims_nothing_of_the_others() {
    let site = Site::start().await;
    let create = CreateKey {
        name: "k".into(),
        role: Some("owner".into()),
        namespaces: vec!["shop".parse().unwrap()],
        ..CreateKey::default()
    };
    let key = site.services.identity.create_key(&Caller::owner(), create).await.unwrap().token;
    assert_eq!(site.call(Call::get("/v1/audit/entries").with(&key)).await.status, 200);
    for chain in ["server", "namespace:default"] {
        let call = Call::get(&format!("/v1/audit/entries?chain={chain}")).with(&key);
        site.call(call).await.problem("auth.forbidden").await;
    }
    for path in ["/v1/audit/checkpoints", "/v1/audit/trims"] {
        site.call(Call::post(path, json!({})).with(&key)).await.problem("auth.forbidden").await;
    }
}

#[tokio::test]
async fn strangers_who_fail_to_log_in_cannot_fill_the_trail() {
    let site = Site::start().await;
    for _ in 0..80 {
        let request = Request::builder().method("POST").uri("/v1/auth/login").header("host", "localhost");
        let reply = site.send(request.body(axum::body::Body::from("{")).unwrap()).await;
        reply.problem("request.invalid").await;
    }
    assert_eq!(entries(&site, ChainId::Server).await.len(), 60);
}

#[tokio::test]
async fn callers_who_are_refused_cannot_hide_strangers_nor_strangers_them() {
    let site = Site::start().await;
    let key = site.key(&["metrics:read"]).await.token;
    let known = || Call::get("/v1/mail/messages").with(&key);
    let stranger = || Call::anonymous(Method::GET, "/v1/whoami").header("authorization", "Bearer x");
    for _ in 0..70 {
        site.call(known()).await.problem("auth.forbidden").await;
    }
    for _ in 0..70 {
        site.call(stranger()).await.problem("auth.credential_invalid").await;
    }
    let refused = |entries: &[Value]| entries.iter().filter(|entry| entry["action"] == "access.refused").count();
    assert_eq!(refused(&entries(&site, default_chain()).await), 60);
    assert_eq!(refused(&entries(&site, ChainId::Server).await), 60);
}
