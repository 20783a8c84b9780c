//! The tools as clients list them.

use crate::mcp_support::{Http, LEGACY, Site, Stdio, caller};
use axum::body::Body;
use http::Request;
use mainstay_core::api::audit::{AuditEntry, ListAudit};
use mainstay_core::api::identity::CreateKey;
use mainstay_core::{Caller, Scopes};
use serde_json::{Value, json};

const ORIGINAL: &str = include_str!("../../src/mcp/tools/legacy/tools.json");

const ORDER: [&str; 41] = [
    "coord_publish_message",
    "coord_check_messages",
    "coord_ack_message",
    "coord_get_presence",
    "coord_get_notifications",
    "coord_register_presence",
    "coord_deregister_presence",
    "coord_heartbeat",
    "mail_send",
    "mail_list",
    "mail_read",
    "mail_inbox",
    "mail_wait",
    "mail_ack",
    "mail_mark_read",
    "mail_counts",
    "mail_types",
    "presence_list",
    "presence_register",
    "presence_heartbeat",
    "presence_unregister",
    "conversation_create",
    "conversation_list",
    "conversation_show",
    "conversation_messages",
    "conversation_append",
    "conversation_fork",
    "conversation_delete",
    "chat_send",
    "events_publish",
    "events_read",
    "events_streams",
    "settings_get",
    "settings_list",
    "settings_set",
    "providers_list",
    "providers_get",
    "providers_patch",
    "providers_reset",
    "providers_breaker",
    "whoami",
];

fn tools(result: &Value) -> Vec<Value> {
    result["tools"].as_array().unwrap().clone()
}

#[tokio::test]
async fn every_client_sees_the_same_tools_in_the_same_order() {
    let site = Site::start().await;
    let over_modern = site.modern("backend").result("tools/list", json!({})).await;
    let over_legacy = site.legacy("backend").result("tools/list", json!({})).await;
    let mut stdio = site.stdio("backend");
    stdio.initialize(LEGACY).await;
    let over_stdio = stdio.result("tools/list", json!({})).await;
    let names: Vec<_> = tools(&over_modern).iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ORDER);
    assert_eq!(over_modern["tools"], over_legacy["tools"]);
    assert_eq!(over_modern["tools"], over_stdio["tools"]);
    assert!(over_modern.get("ttlMs").is_some() && over_legacy.get("ttlMs").is_none());
}

#[tokio::test]
async fn the_tools_of_the_original_are_listed_as_they_were() {
    let site = Site::start().await;
    let listed = tools(&site.legacy("backend").result("tools/list", json!({})).await);
    let original: Vec<Value> = serde_json::from_str(ORIGINAL).unwrap();
    assert_eq!(listed[..8], original[..]);
}

#[tokio::test]
async fn modern_tools_are_described_for_every_kind_of_client() {
    let site = Site::start().await;
    let listed = tools(&site.legacy("backend").result("tools/list", json!({})).await);
    for tool in &listed[8..] {
        let name = tool["name"].as_str().unwrap();
        for schema in ["inputSchema", "outputSchema"] {
            assert_eq!(tool[schema]["type"], "object", "{name}");
            plain(&tool[schema], &format!("{name}.{schema}"));
        }
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{name}");
        for (property, schema) in tool["inputSchema"]["properties"].as_object().unwrap() {
            assert!(schema["description"].is_string(), "{name}: {property} says nothing");
        }
        let annotations = tool["annotations"].as_object().unwrap();
        for hint in ["readOnlyHint", "destructiveHint", "idempotentHint"] {
            assert!(annotations[hint].is_boolean(), "{name}: {hint}");
        }
        assert_eq!(annotations["openWorldHint"], false, "{name}");
        assert!(tool["title"].is_string() && tool["description"].as_str().unwrap().len() > 40, "{name}");
    }
}

/// Fails where a schema needs more of a client than plain JSON Schema.
fn plain(schema: &Value, at: &str) {
    match schema {
        Value::Object(object) => {
            for key in ["$ref", "$defs", "$schema"] {
                assert!(!object.contains_key(key), "{at}: {key}");
            }
            if let Some(format) = object.get("format").and_then(Value::as_str) {
                assert_eq!(format, "date-time", "{at}");
            }
            assert_ne!(object.get("type"), Some(&json!(["string", "null"])), "{at}");
            object.iter().for_each(|(key, value)| plain(value, &format!("{at}.{key}")));
        }
        Value::Array(items) => items.iter().for_each(|item| plain(item, at)),
        _ => {}
    }
}

#[tokio::test]
async fn the_modern_tools_change_only_on_purpose() {
    let site = Site::start().await;
    let listed = tools(&site.legacy("backend").result("tools/list", json!({})).await);
    insta::assert_json_snapshot!("modern_tools", listed[8..]);
}

#[tokio::test]
async fn every_tool_refuses_a_caller_that_lacks_its_scope_but_the_one_that_says_who_one_is() {
    let site = Site::start().await;
    let nobody = Caller { scopes: Scopes::default(), ..caller(Some("backend")) };
    let mut stdio = Stdio::connect(&site.parts, nobody);
    stdio.initialize(LEGACY).await;
    for name in ORDER {
        let result = stdio.result("tools/call", json!({ "name": name, "arguments": {} })).await;
        if name == "whoami" {
            assert_ne!(result["isError"], true, "{result}");
        } else {
            assert_eq!(result["isError"], true, "{name}: {result}");
            assert!(result.to_string().contains("auth.forbidden"), "{name}: {result}");
        }
    }
    for uri in ["mailbox://me", "presence://instances"] {
        let refused = stdio.ask("resources/subscribe", json!({ "uri": uri })).await;
        assert!(refused.to_string().contains("auth.forbidden"), "{uri}: {refused}");
        let refused = stdio.ask("resources/read", json!({ "uri": uri })).await;
        assert!(refused.to_string().contains("auth.forbidden"), "{uri}: {refused}");
    }
}

#[tokio::test]
async fn refused_tools_are_recorded_and_counted_as_routes_are_and_under_the_same_bound() {
    let site = Site::start().await;
    let create = CreateKey { name: "k".into(), scopes: vec!["metrics:read".into()], ..CreateKey::default() };
    let key = site.parts.services.identity.create_key(&Caller::owner(), create).await.unwrap();
    let client = Http { instance: None, ..site.legacy("") };
    let as_key = |mut request: Request<Body>| {
        request.headers_mut().insert("authorization", format!("Bearer {}", key.token).parse().unwrap());
        request
    };
    let call = |name: &str| {
        let params = json!({ "name": name, "arguments": {} });
        as_key(client.request(&client.message("tools/call", params)))
    };
    // One that is recorded where it takes place, one that is not, one of the original; and what is no tool.
    for tool in ["conversation_list", "mail_list", "coord_get_presence"] {
        let refused = client.send(call(tool)).await.json().await;
        assert!(refused.to_string().contains("auth.forbidden"), "{refused}");
    }
    for method in ["resources/read", "resources/subscribe"] {
        let message = client.message(method, json!({ "uri": "presence://instances" }));
        let refused = client.send(as_key(client.request(&message))).await.json().await;
        assert!(refused.to_string().contains("auth.forbidden"), "{refused}");
    }
    let route = || as_key(client.get("GET").uri("/v1/mail/messages").body(Body::empty()).unwrap());
    assert_eq!(client.send(route()).await.status, 403);
    let told = entries(&site).await;
    assert_eq!(told.len(), 6, "{told:?}");
    for entry in &told {
        assert_eq!((entry.action.as_str(), entry.code.as_deref()), ("access.refused", Some("auth.forbidden")));
        assert_eq!((&entry.principal, entry.status), (&format!("key:{}", key.key.id), Some(403)));
        assert!(entry.request_id.is_some() && entry.from.is_some(), "{entry:?}");
    }
    for _ in 0..57 {
        client.send(call("mail_list")).await;
    }
    client.send(route()).await;
    assert_eq!(entries(&site).await.len(), 60);
    let metrics = as_key(client.get("GET").uri("/metrics").body(Body::empty()).unwrap());
    let metrics = client.send(metrics).await.text().await;
    assert!(metrics.contains("mainstay_access_refused_total{code=\"auth.forbidden\"} 64\n"), "{metrics}");
}

/// What the trail of the namespace tells.
async fn entries(site: &Site) -> Vec<AuditEntry> {
    let list = ListAudit { limit: Some(1_000), ..ListAudit::default() };
    site.parts.services.audit.list(&Caller::owner(), list).await.unwrap().items
}
