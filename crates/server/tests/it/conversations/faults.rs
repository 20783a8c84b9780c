//! A store that is away or hangs is 503 on every route, and nothing else.

use super::bed::Bed;
use crate::support::SOON;
use http::{Method, StatusCode};
use mainstay_core::conversations::EchoAgent;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Calls each route and expects that the store is away, with word when to come back.
async fn every_route_is_unavailable(bed: &Bed, id: &str) {
    let ada = bed.user("ada");
    let of = |rest: &str| format!("/v1/conversations/{id}{rest}");
    let calls = [
        (Method::POST, "/v1/conversations".into(), Some(json!({}))),
        (Method::GET, "/v1/conversations".into(), None),
        (Method::GET, "/v1/conversations/export".into(), None),
        (Method::DELETE, "/v1/conversations?confirm=ada".into(), None),
        (Method::GET, of(""), None),
        (Method::PATCH, of(""), Some(json!({ "title": "x" }))),
        (Method::DELETE, of(""), None),
        (Method::GET, of("/messages"), None),
        (Method::POST, of("/messages"), Some(json!({ "messages": [{ "role": "user", "text": "x" }] }))),
        (Method::POST, of("/turn"), Some(json!({}))),
        (Method::PUT, of("/turn"), Some(json!({ "turn": 1 }))),
        (Method::DELETE, of("/turn?turn=1"), None),
        (Method::POST, of("/fork"), Some(json!({}))),
        (Method::GET, of("/export"), None),
        (Method::GET, of("/events"), None),
        (Method::POST, of("/send"), Some(json!({ "text": "x" }))),
        (Method::POST, "/api/chat/start".into(), None),
        (Method::POST, "/api/chat/send".into(), Some(json!({ "conversationId": id, "text": "x" }))),
        (Method::POST, "/api/chat/list-conversations".into(), Some(json!({}))),
        (Method::PATCH, format!("/api/chat/conversation/{id}/status"), Some(json!({ "status": "active" }))),
    ];
    let each = calls.into_iter().map(|(method, path, body)| {
        let ada = ada.clone();
        async move {
            let reply = ada.call(method.clone(), &path, body).await;
            assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{method} {path}");
            assert!(reply.headers.contains_key("retry-after"), "{method} {path}");
            let problem = reply.json().await;
            let code = problem["code"].as_str().unwrap();
            assert!(["store.unavailable", "audit.unavailable"].contains(&code), "{method} {path}: {problem}");
            assert_eq!(problem["retryable"], true);
            if path.starts_with("/api/") {
                assert!(problem["error"].as_str().unwrap().starts_with("Service Unavailable: "), "{problem}");
            }
        }
    });
    futures::future::join_all(each).await;
}

#[tokio::test]
async fn a_redis_that_hangs_is_unavailable_on_every_route_and_comes_back() {
    let bed = Bed::redis(Arc::new(EchoAgent)).await;
    let id = bed.user("ada").begin().await;
    let redis = bed.redis.as_ref().unwrap();
    redis.pause().unwrap();
    every_route_is_unavailable(&bed, &id).await;
    redis.resume().unwrap();
    let ada = bed.user("ada");
    let back = async {
        while !ada.chat(&id, "hello").await.status.is_success() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(SOON, back).await.expect("the store back in time");
}

#[tokio::test]
async fn a_redis_that_is_stopped_is_unavailable_on_every_route() {
    let mut bed = Bed::redis(Arc::new(EchoAgent)).await;
    let id = bed.user("ada").begin().await;
    bed.redis.take();
    every_route_is_unavailable(&bed, &id).await;
}
