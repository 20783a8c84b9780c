//! Nobody reads another's.

use super::bed::{Bed, User, token};
use http::{Method, StatusCode};
use serde_json::{Value, json};

/// What a stranger is told of an id, on every route that takes one.
async fn tries(user: &User, id: &str) -> Vec<(String, StatusCode, Value)> {
    let of = |rest: &str| format!("/v1/conversations/{id}{rest}");
    let message = json!({ "messages": [{ "role": "user", "text": "x" }] });
    let calls = [
        (Method::GET, of(""), None),
        (Method::PATCH, of(""), Some(json!({ "title": "mine" }))),
        (Method::GET, of("/messages"), None),
        (Method::GET, of("/messages?before=2"), None),
        (Method::POST, of("/messages"), Some(message)),
        (Method::POST, of("/turn"), Some(json!({}))),
        (Method::PUT, of("/turn"), Some(json!({ "turn": 1 }))),
        (Method::DELETE, of("/turn?turn=1"), None),
        (Method::POST, of("/fork"), Some(json!({}))),
        (Method::GET, of("/export"), None),
        (Method::GET, of("/events?after=0"), None),
        (Method::POST, of("/send"), Some(json!({ "text": "x" }))),
        (Method::POST, "/api/chat/send".into(), Some(json!({ "conversationId": id, "text": "x" }))),
        (
            Method::POST,
            "/api/chat/card-action".into(),
            Some(json!({ "conversationId": id, "cardId": "c", "userSummary": "s", "submitData": {} })),
        ),
        (Method::PATCH, format!("/api/chat/conversation/{id}/status"), Some(json!({ "status": "completed" }))),
    ];
    let mut told = Vec::new();
    for (method, path, body) in calls {
        let reply = user.call(method.clone(), &path, body).await;
        let status = reply.status;
        let mut problem = reply.json().await;
        problem.as_object_mut().unwrap().remove("request_id");
        let text = problem.to_string().replace(id, "<id>");
        told.push((format!("{method} {}", path.replace(id, "<id>")), status, serde_json::from_str(&text).unwrap()));
    }
    told
}

#[tokio::test]
async fn what_is_anothers_and_what_does_not_exist_look_the_same_on_every_route() {
    for bed in Bed::each().await {
        let (ada, eve) = (bed.user("ada"), bed.user("eve"));
        let id = ada.begin().await;
        ada.say(&id, &["secret"]).await;
        let foreign = tries(&eve, &id).await;
        let unknown = tries(&eve, "2d9e3c1c-4d5b-4d0e-9d3a-3d1d6b7d2f10").await;
        assert_eq!(foreign, unknown);
        for (call, status, problem) in &foreign {
            assert_eq!(*status, StatusCode::NOT_FOUND, "{call}: {problem}");
        }
        assert_eq!(eve.delete(&format!("/v1/conversations/{id}")).await.ok().await["deleted"], false);
        assert_eq!(ada.messages(&id).await.len(), 1);
        assert_eq!(ada.get(&format!("/v1/conversations/{id}")).await.ok().await["version"], 2);
    }
}

#[tokio::test]
async fn lists_cursors_exports_and_erasures_stay_within_their_user() {
    for bed in Bed::each().await {
        let (ada, eve) = (bed.user("ada"), bed.user("eve"));
        let namesake = bed.node.bearer(&token("globex", "ada", "member"));
        for _ in 0..3 {
            ada.begin().await;
        }
        let of_eve = eve.begin().await;
        let page = ada.get("/v1/conversations?limit=1").await.ok().await;
        let cursor = page["next"].as_str().unwrap();
        let with_cursor = eve.get(&format!("/v1/conversations?cursor={cursor}")).await;
        let seen = match with_cursor.status {
            StatusCode::OK => with_cursor.json().await["items"].as_array().unwrap().clone(),
            _ => Vec::new(),
        };
        assert!(seen.iter().all(|item| item["id"] == of_eve.as_str()), "{seen:?}");
        for stranger in [&eve, &namesake] {
            let text = stranger.get("/v1/conversations/export").await.text().await;
            assert!(!text.contains("\"acme\"") || !text.contains("\"ada\""), "{text}");
        }
        assert_eq!(namesake.get("/v1/conversations").await.ok().await["items"], json!([]));
        assert_eq!(eve.delete("/v1/conversations?confirm=eve").await.ok().await["conversations"], 1);
        assert_eq!(namesake.delete("/v1/conversations?confirm=ada").await.ok().await["conversations"], 0);
        assert_eq!(ada.get("/v1/conversations").await.ok().await["items"].as_array().unwrap().len(), 3);
    }
}

#[tokio::test]
async fn the_same_id_of_two_users_is_two_conversations() {
    for bed in Bed::each().await {
        let (ada, eve) = (bed.user("ada"), bed.user("eve"));
        let hostile = "a:b{c}%2F日\n";
        for (user, text) in [(&ada, "of ada"), (&eve, "of eve")] {
            let created = user.post("/v1/conversations", json!({ "id": hostile })).await;
            assert_eq!(created.status, StatusCode::CREATED);
            let path = created.headers["location"].to_str().unwrap().to_owned();
            let body = json!({ "messages": [{ "role": "user", "text": text }] });
            user.post(&format!("{path}/messages"), body).await.ok().await;
            let page = user.get(&format!("{path}/messages")).await.ok().await;
            assert_eq!(page["messages"].as_array().unwrap().len(), 1);
            assert_eq!(page["messages"][0]["text"], text);
        }
    }
}

#[tokio::test]
async fn who_looks_on_cannot_write_and_who_works_cannot_open_anothers() {
    for bed in Bed::each().await {
        let ada = bed.user("ada");
        let id = ada.begin().await;
        ada.say(&id, &["secret"]).await;
        let looking = bed.node.bearer(&token("acme", "ada", "viewer"));
        assert_eq!(looking.messages(&id).await.len(), 1);
        for path in [format!("/v1/conversations/{id}/messages"), format!("/v1/conversations/{id}/send")] {
            looking.post(&path, json!({})).await.problem("auth.forbidden").await;
        }
        looking.post("/v1/conversations", json!({})).await.problem("auth.forbidden").await;
        looking.post("/api/chat/start", json!({})).await.problem("auth.forbidden").await;

        let path = "/v1/subjects/team/acme/ada/conversations";
        let why = [("mainstay-reason", "a request of the user")];
        for method in [Method::GET, Method::DELETE] {
            bed.user("eve").call_with(&why, method.clone(), (path, None)).await.problem("auth.forbidden").await;
        }
        let admin = bed.node.bearer(&token("acme", "root", "admin"));
        for method in [Method::GET, Method::DELETE] {
            let without_reason = admin.call(method, path, None).await;
            without_reason.problem("request.invalid").await;
        }
        let export = admin.call_with(&why, Method::GET, (path, None)).await.text().await;
        assert!(export.contains("secret"), "{export}");
        let erased = admin.call_with(&why, Method::DELETE, (path, None)).await.ok().await;
        assert_eq!(erased["conversations"], 1);
        ada.get(&format!("/v1/conversations/{id}")).await.problem("conversations.not_found").await;
    }
}

#[tokio::test]
async fn one_user_writes_over_two_nodes_to_one_conversation() {
    for bed in Bed::each().await {
        let beside = bed.beside(std::sync::Arc::new(mainstay_core::conversations::EchoAgent));
        let (here, there) = (bed.user("ada"), beside.user("ada"));
        let id = here.begin().await;
        let writes = (0..20).map(|n| {
            let (user, id) = (if n % 2 == 0 { here.clone() } else { there.clone() }, id.clone());
            tokio::spawn(async move { user.say(&id, &[&format!("m{n}")]).await })
        });
        for write in writes.collect::<Vec<_>>() {
            write.await.unwrap();
        }
        let seqs: Vec<u64> = there.messages(&id).await.iter().map(|m| m["seq"].as_u64().unwrap()).collect();
        assert_eq!(seqs, (1..=20).collect::<Vec<_>>());
        beside.shutdown.cancel();
    }
}
