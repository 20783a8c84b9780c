//! The document and the routes say the same.

use crate::support::{Call, Setup, Site, filled};
use axum::body::Body;
use http::{Method, Request, StatusCode};
use mainstay_server::OPEN_PATHS;
use serde_json::Value;
use std::collections::BTreeSet;

fn document() -> Value {
    serde_json::to_value(mainstay_server::openapi()).unwrap()
}

fn operations(document: &Value) -> Vec<(String, Method)> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().keys();
        methods.map(move |method| (path.clone(), Method::from_bytes(method.to_uppercase().as_bytes()).unwrap()))
    });
    operations.collect()
}

#[test]
fn the_document_holds_exactly_the_routes_that_were_promised() {
    let document = document();
    let described: BTreeSet<String> =
        operations(&document).into_iter().map(|(path, method)| format!("{method} {path}")).collect();
    let promised = [
        "DELETE /hubs/{hub}",
        "GET /hubs/{hub}",
        "POST /hubs/{hub}",
        "POST /hubs/{hub}/negotiate",
        "GET /health",
        "GET /health/live",
        "GET /health/ready",
        "GET /metrics",
        "GET /api/redis/status",
        "GET /api/storage/status",
        "GET /v1/store/journal",
        "GET /v1/store/status",
        "POST /v1/store/journal/discard",
        "POST /v1/store/journal/replay",
        "GET /openapi.json",
        "GET /v1/audit/chains",
        "GET /v1/audit/entries",
        "GET /v1/audit/export",
        "GET /v1/audit/key",
        "GET /v1/audit/stored",
        "GET /v1/audit/verify",
        "GET /v1/auth/sessions",
        "DELETE /v1/gateway/keys/{id}",
        "GET /v1/gateway/keys",
        "GET /v1/gateway/keys/export",
        "GET /v1/gateway/keys/{id}",
        "GET /v1/gateway/usage",
        "PATCH /v1/gateway/keys/{id}",
        "POST /v1/gateway/keys",
        "POST /v1/gateway/keys/import",
        "GET /v1/conversations",
        "GET /v1/conversations/export",
        "GET /v1/conversations/{id}",
        "GET /v1/conversations/{id}/events",
        "GET /v1/conversations/{id}/export",
        "GET /v1/conversations/{id}/messages",
        "GET /v1/documents",
        "GET /v1/documents/{collection}",
        "GET /v1/documents/{collection}/{key}",
        "GET /v1/documents/{collection}/{key}/history",
        "GET /v1/documents/{collection}/{key}/revealed",
        "GET /v1/documents/changes",
        "GET /v1/documents/watch",
        "PUT /v1/documents/{collection}/{key}",
        "PATCH /v1/documents/{collection}/{key}",
        "DELETE /v1/documents/{collection}/{key}",
        "POST /v1/documents/{collection}/{key}/rollback",
        "POST /v1/documents/transactions",
        "GET /v1/errors/{code}",
        "GET /api/v1/events/consumer-lag",
        "GET /api/v1/events/health",
        "GET /api/v1/events/streams",
        "GET /v1/providers",
        "DELETE /v1/providers/{pool}",
        "GET /v1/providers/{pool}",
        "PATCH /v1/providers/{pool}",
        "POST /v1/providers/{pool}",
        "PUT /v1/providers/{pool}",
        "POST /v1/providers/{pool}/reset",
        "DELETE /v1/providers/{pool}/{provider}",
        "GET /v1/providers/{pool}/{provider}",
        "PATCH /v1/providers/{pool}/{provider}",
        "PUT /v1/providers/{pool}/{provider}",
        "POST /v1/providers/{pool}/{provider}/breaker",
        "POST /v1/providers/{pool}/{provider}/disable",
        "POST /v1/providers/{pool}/{provider}/enable",
        "POST /v1/providers/{pool}/{provider}/reset",
        "GET /v1/providers/{pool}/{provider}/revealed",
        "DELETE /v1/providers/{pool}/{provider}/credential",
        "GET /v1/providers/{pool}/{provider}/credential",
        "GET /v1/providers/{pool}/{provider}/credential/revealed",
        "POST /v1/providers/{pool}/{provider}/credential/refresh",
        "PUT /v1/providers/{pool}/{provider}/credential",
        "GET /v1/events/consumer-lag",
        "GET /v1/events/health",
        "GET /v1/events/node",
        "GET /v1/events/streams",
        "GET /v1/events/transport",
        "GET /v1/events/ws",
        "GET /v1/events/{stream}",
        "GET /v1/events/{stream}/live",
        "GET /v1/keys",
        "GET /v1/keys/{id}",
        "GET /internal/stats",
        "GET /internal/users/{id}/online",
        "GET /v1/mail/counts",
        "GET /v1/mail/inbox",
        "GET /v1/mail/inbox/events",
        "GET /v1/mail/messages",
        "GET /v1/mail/messages/{id}",
        "GET /v1/mail/stats",
        "GET /v1/mail/types",
        "GET /v1/presence",
        "GET /v1/presence/events",
        "GET /v1/presence/{instance}",
        "GET /v1/subjects/{realm}/{tenant}/{user}/conversations",
        "GET /v1/users",
        "GET /v1/users/{id}",
        "GET /v1/users/{id}/sessions",
        "GET /v1/whoami",
        "DELETE /v1/auth/sessions",
        "DELETE /v1/auth/sessions/{id}",
        "DELETE /v1/auth/totp",
        "DELETE /v1/conversations",
        "DELETE /v1/conversations/{id}",
        "DELETE /v1/conversations/{id}/turn",
        "DELETE /v1/keys/{id}",
        "DELETE /v1/presence/{instance}",
        "DELETE /v1/subjects/{realm}/{tenant}/{user}/conversations",
        "DELETE /v1/users/{id}",
        "DELETE /v1/users/{id}/sessions",
        "DELETE /v1/users/{id}/totp",
        "PATCH /api/chat/conversation/{id}/status",
        "PATCH /v1/conversations/{id}",
        "PATCH /v1/users/{id}",
        "POST /api/chat/card-action",
        "POST /api/chat/list-conversations",
        "POST /api/chat/send",
        "POST /api/chat/start",
        "POST /internal/{area}/{act}",
        "POST /v1/audit/checkpoints",
        "POST /v1/audit/trims",
        "POST /v1/auth/challenge",
        "POST /v1/auth/login",
        "POST /v1/auth/logout",
        "POST /v1/auth/password",
        "POST /v1/auth/recovery-codes",
        "POST /v1/auth/totp",
        "POST /v1/auth/totp/confirm",
        "POST /v1/conversations",
        "POST /v1/conversations/{id}/fork",
        "POST /v1/conversations/{id}/messages",
        "POST /v1/conversations/{id}/send",
        "POST /v1/conversations/{id}/turn",
        "POST /v1/events/{stream}",
        "POST /v1/keys",
        "POST /v1/mail/import",
        "POST /v1/mail/inbox/read",
        "POST /v1/mail/messages",
        "POST /v1/mail/messages/{id}/ack",
        "POST /v1/presence/{instance}/heartbeat",
        "POST /v1/users",
        "PUT /v1/conversations/{id}/turn",
        "DELETE /v1/events/{stream}/rooms/{room}/members/{member}",
        "DELETE /v1/events/{stream}/groups/{group}",
        "DELETE /v1/events/{stream}/groups/{group}/dead/{token}",
        "GET /v1/events/{stream}/groups",
        "GET /v1/events/{stream}/groups/{group}/dead",
        "POST /v1/events/{stream}/groups/{group}/acknowledge",
        "POST /v1/events/{stream}/groups/{group}/bury",
        "POST /v1/events/{stream}/groups/{group}/dead/{token}/revive",
        "POST /v1/events/{stream}/groups/{group}/keep",
        "POST /v1/events/{stream}/groups/{group}/release",
        "POST /v1/events/{stream}/groups/{group}/take",
        "PUT /v1/events/{stream}/groups/{group}",
        "GET /v1/events/{stream}/rooms/{room}/members",
        "GET /v1/events/{stream}/rooms/{room}/presence",
        "PUT /v1/events/{stream}/rooms/{room}/members/{member}",
        "PUT /v1/events/transport",
        "PUT /v1/presence/{instance}",
        "PUT /v1/users/{id}/password",
    ];
    assert_eq!(described, promised.into_iter().map(str::to_owned).collect());
    assert_eq!(document["openapi"], "3.1.0");
}

#[tokio::test]
async fn every_route_of_the_document_is_served_and_no_other_method_of_it() {
    let site = Site::start().await;
    let operations = operations(&document());
    for (path, method) in &operations {
        let reply = site.call(Call::new(method.clone(), &filled(path))).await;
        assert_ne!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        if reply.status == StatusCode::NOT_FOUND {
            assert_ne!(reply.json().await["detail"], format!("there is nothing at {:?}", filled(path)), "{path}");
        }
    }
    let all = [Method::GET, Method::PUT, Method::POST, Method::DELETE, Method::PATCH, Method::OPTIONS];
    for (path, _) in &operations {
        for method in all.iter().filter(|method| !operations.contains(&(path.clone(), (*method).clone()))) {
            let reply = site.call(Call::new(method.clone(), &filled(path))).await;
            assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path} is not in the document");
        }
    }
}

#[tokio::test]
async fn every_route_needs_a_caller_except_the_open_ones() {
    let site = Site::start().await;
    let document = document();
    for (path, method) in operations(&document) {
        let request = Request::builder().method(&method).uri(filled(&path)).header("host", "localhost");
        let reply = site.send(request.body(Body::empty()).unwrap()).await;
        let security = &document["paths"][&path][method.as_str().to_lowercase()]["security"];
        if OPEN_PATHS.contains(&path.as_str()) {
            assert_ne!(reply.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            assert_eq!(*security, serde_json::json!([{}]), "{method} {path}");
        } else {
            reply.problem("auth.credential_missing").await;
            let scheme = if path.starts_with("/internal/") { "bridge" } else { "bearer" };
            assert_eq!(*security, serde_json::json!([{ scheme: [] }]), "{method} {path}");
        }
    }
}

#[test]
fn every_route_names_what_its_caller_needs() {
    let needs = mainstay_server::route_needs();
    let named: BTreeSet<String> = needs.iter().map(|(route, _)| route.clone()).collect();
    let served: BTreeSet<String> =
        operations(&document()).into_iter().map(|(path, method)| format!("{method} {path}")).collect();
    assert_eq!(named, served);
    for (route, needs) in &needs {
        let path = route.split_once(' ').unwrap().1;
        assert_eq!(needs == "nothing", OPEN_PATHS.contains(&path), "{route} needs {needs}");
    }
}

/// Routes are registered through the document alone, so that none can be served without being described.
#[test]
fn no_route_is_registered_beside_the_document() {
    let sources = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![sources];
    let mut looked_at = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                // What is mounted at /mcp, and what the gateway serves, speaks protocols of others, which they describe.
                if entry.file_name() != "mcp" && entry.file_name() != "gateway" {
                    folders.push(entry.path());
                }
                continue;
            }
            looked_at += 1;
            let text = std::fs::read_to_string(entry.path()).unwrap();
            // The only one takes its path from a description.
            let described = text.matches(".route(&P::path(), ").count();
            assert_eq!(text.matches(".route(").count(), described, "{}", entry.path().display());
        }
    }
    assert!(looked_at > 20);
}

#[test]
fn every_reference_of_the_document_leads_somewhere_and_every_operation_has_a_name() {
    let document = document();
    let text = document.to_string();
    let references = text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap());
    let mut followed = 0;
    for reference in references {
        assert!(document.pointer(reference).is_some(), "{reference}");
        followed += 1;
    }
    assert!(followed > 20);
    let mut names = BTreeSet::new();
    for (path, method) in operations(&document) {
        let operation = &document["paths"][&path][method.as_str().to_lowercase()];
        assert!(names.insert(operation["operationId"].as_str().unwrap().to_owned()), "{method} {path}");
        assert!(operation["responses"]["default"]["content"]["application/problem+json"].is_object(), "{path}");
        assert!(operation["summary"].is_string(), "{method} {path}");
    }
}

#[tokio::test]
async fn the_document_the_pages_of_errors_and_the_metrics_are_served() {
    let site = Site::start().await;
    assert_eq!(site.call(Call::get("/openapi.json")).await.ok().await, document());
    let page = site.call(Call::get("/v1/errors/mail.not_found")).await;
    assert_eq!(page.headers["content-type"], "text/markdown; charset=utf-8");
    assert!(page.text().await.starts_with("# mail.not_found\n"));
    let page = site.call(Call::get("/v1/errors/mail.not_found").header("accept", "application/json")).await.ok().await;
    assert_eq!((page["code"].as_str(), page["status"].as_u64()), (Some("mail.not_found"), Some(404)));
    let problem = site.call(Call::get("/v1/errors/nope")).await.problem("request.no_such_route").await;
    assert!(problem["valid_values"].as_array().unwrap().len() > 30);
    let metrics = site.call(Call::get("/metrics")).await.text().await;
    let counted = "http_requests_total{route=\"/v1/errors/{code}\",method=\"GET\",status=\"404\"} 1";
    assert!(metrics.contains(counted), "{metrics}");
    assert!(metrics.contains("mainstay_store_up 1\n"), "{metrics}");
}

#[tokio::test]
async fn the_metrics_are_open_where_that_is_configured() {
    let mut setup = Setup::default();
    setup.config.open_metrics = true;
    let site = Site::start_with(setup).await;
    let request = Request::builder().uri("/metrics").header("host", "localhost").body(Body::empty()).unwrap();
    assert_eq!(site.send(request).await.status, StatusCode::OK);
}
