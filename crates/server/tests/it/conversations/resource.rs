//! The resource routes.

use super::bed::Bed;
use http::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn a_conversation_lives_from_its_beginning_to_its_end() {
    for bed in Bed::each().await {
        let ada = bed.user("ada");
        let reply = ada.post("/v1/conversations", json!({ "title": "Plans", "metadata": { "a": 1 } })).await;
        assert_eq!(reply.status, StatusCode::CREATED);
        let (location, tag) = (reply.headers["location"].clone(), reply.headers["etag"].clone());
        let created = reply.json().await["conversation"].clone();
        let id = created["id"].as_str().unwrap();
        assert_eq!(location.to_str().unwrap(), format!("/v1/conversations/{}", id.replace('-', "%2D")));
        assert_eq!(tag.to_str().unwrap(), format!("\"{}\"", created["version"]));
        assert_eq!((created["userId"].as_str(), created["tenantId"].as_str()), (Some("ada"), Some("acme")));
        assert_eq!(created["externalId"], id);
        assert!(created["expiresAt"].is_string());

        let path = format!("/v1/conversations/{id}");
        let appended = ada.say(id, &["one", "two"]).await;
        assert_eq!(appended["messages"][1]["seq"], 2);
        let patch = json!({ "status": "archived", "metadata": { "b": 2 }, "pinned": true });
        let patched = ada.call(Method::PATCH, &path, Some(patch)).await.ok().await;
        assert_eq!(patched["metadata"], json!({ "a": 1, "b": 2 }));
        assert_eq!((patched["status"].as_str(), patched["expiresAt"].as_str()), (Some("archived"), None));
        let listed = ada.get("/v1/conversations?status=archived").await.ok().await;
        assert_eq!(listed["items"][0]["messageCount"], 2);
        assert!(listed["items"][0].get("messages").is_none());
        assert_eq!(ada.delete(&path).await.ok().await["deleted"], true);
        assert_eq!(ada.delete(&path).await.ok().await["deleted"], false);
        ada.get(&path).await.problem("conversations.not_found").await;
    }
}

#[tokio::test]
async fn a_change_of_what_was_not_seen_is_a_conflict_with_the_version_that_stands() {
    for bed in Bed::each().await {
        let ada = bed.user("ada");
        let id = ada.begin().await;
        let path = format!("/v1/conversations/{id}");
        let read = ada.get(&path).await;
        let tag = read.headers["etag"].to_str().unwrap().to_owned();
        let seen = read.json().await["version"].as_u64().unwrap();
        ada.say(&id, &["meanwhile"]).await;

        let patch = (path.as_str(), Some(json!({ "title": "new" })));
        let reply = ada.call_with(&[("if-match", &tag)], Method::PATCH, patch).await;
        assert_eq!(reply.status, StatusCode::CONFLICT);
        let problem = reply.problem("conversations.version_conflict").await;
        let current = problem["current_version"].as_u64().unwrap();
        assert!(current > seen);
        let append = json!({ "messages": [{ "role": "user", "text": "x" }], "expectedVersion": seen });
        let messages = format!("{path}/messages");
        ada.post(&messages, append.clone()).await.problem("conversations.version_conflict").await;
        let differs = ada.call_with(&[("if-match", "\"99\"")], Method::POST, (&messages, Some(append))).await;
        differs.problem("request.invalid").await;
        let delete = ada.call_with(&[("if-match", &tag)], Method::DELETE, (&path, None)).await;
        delete.problem("request.invalid").await;

        let tag = format!("\"{current}\"");
        let known = ada.call_with(&[("if-none-match", &tag)], Method::GET, (&path, None)).await;
        assert_eq!(known.status, StatusCode::NOT_MODIFIED);
        assert_eq!(known.text().await, "");
        let patch = (path.as_str(), Some(json!({ "title": "new" })));
        ada.call_with(&[("if-match", &tag)], Method::PATCH, patch).await.ok().await;
    }
}

#[tokio::test]
async fn a_repeated_write_is_done_once_and_its_key_is_the_callers_own() {
    for bed in Bed::each().await {
        let (ada, bob) = (bed.user("ada"), bed.user("bob"));
        let key = [("idempotency-key", "k-1")];
        let create = || ("/v1/conversations", Some(json!({ "title": "once" })));
        let first = ada.call_with(&key, Method::POST, create()).await.ok().await;
        let again = ada.call_with(&key, Method::POST, create()).await;
        assert_eq!(again.status, StatusCode::OK);
        let again = again.json().await;
        assert_eq!(again["replayed"], true);
        assert_eq!(again["conversation"]["id"], first["conversation"]["id"]);
        let other = ada.call_with(&key, Method::POST, ("/v1/conversations", Some(json!({ "title": "two" })))).await;
        other.problem("request.id_reused").await;
        let of_bob = bob.call_with(&key, Method::POST, create()).await;
        assert_eq!(of_bob.status, StatusCode::CREATED);
        assert_ne!(of_bob.json().await["conversation"]["id"], first["conversation"]["id"]);

        let id = first["conversation"]["id"].as_str().unwrap();
        let path = format!("/v1/conversations/{id}/messages");
        let body = json!({ "messages": [{ "role": "user", "text": "x" }] });
        for expected in [StatusCode::CREATED, StatusCode::OK] {
            let reply = ada.call_with(&[("idempotency-key", "k-2")], Method::POST, (&path, Some(body.clone()))).await;
            assert_eq!(reply.status, expected);
        }
        assert_eq!(ada.messages(id).await.len(), 1);
    }
}

#[tokio::test]
async fn pages_lead_through_a_long_history_both_ways() {
    for bed in Bed::each().await {
        let ada = bed.user("ada");
        let id = ada.begin().await;
        let texts: Vec<String> = (1..=50).map(|n| format!("m{n}")).collect();
        ada.say(&id, &texts.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let seqs = |page: &Value| -> Vec<u64> {
            page["messages"].as_array().unwrap().iter().map(|message| message["seq"].as_u64().unwrap()).collect()
        };
        let page = |query: &str| {
            let (ada, path) = (ada.clone(), format!("/v1/conversations/{id}/messages{query}"));
            async move { ada.get(&path).await.ok().await }
        };
        let newest = page("").await;
        assert_eq!(seqs(&newest), (31..=50).collect::<Vec<_>>());
        assert_eq!(newest["more"], true);
        assert_eq!(seqs(&page("?before=31&limit=10").await), (21..=30).collect::<Vec<_>>());
        assert_eq!(seqs(&page("?after=48").await), [49, 50]);
        for broken in ["?limit=0", "?limit=1001", "?after=1&before=3", "?colour=1"] {
            ada.get(&format!("/v1/conversations/{id}/messages{broken}")).await.problem("request.invalid").await;
        }
    }
}

#[tokio::test]
async fn a_turn_keeps_everybody_else_out_until_it_ends() {
    for bed in Bed::each().await {
        let ada = bed.user("ada");
        let id = ada.begin().await;
        let path = format!("/v1/conversations/{id}/turn");
        let turn = ada.post(&path, json!({ "holder": "first" })).await.ok().await["turn"].as_u64().unwrap();
        let busy = ada.post(&path, json!({})).await;
        assert_eq!(busy.status, StatusCode::CONFLICT);
        assert!(busy.headers.contains_key("retry-after"));
        assert_eq!(busy.problem("conversations.turn_busy").await["retryable"], true);
        let body = |turn: Option<u64>| json!({ "messages": [{ "role": "user", "text": "x" }], "turn": turn });
        let messages = format!("/v1/conversations/{id}/messages");
        ada.post(&messages, body(None)).await.problem("conversations.turn_busy").await;
        ada.post(&messages, body(Some(turn + 7))).await.problem("conversations.turn_lost").await;
        ada.post(&messages, body(Some(turn))).await.ok().await;
        ada.call(Method::PUT, &path, Some(json!({ "turn": turn }))).await.ok().await;
        let shown = ada.get(&format!("/v1/conversations/{id}")).await.ok().await;
        assert_eq!(shown["turn"]["holder"], "first");
        assert_eq!(ada.delete(&format!("{path}?turn={turn}")).await.ok().await["ended"], true);
        assert_eq!(ada.delete(&format!("{path}?turn={turn}")).await.ok().await["ended"], false);
        ada.post(&messages, body(Some(turn))).await.problem("conversations.turn_lost").await;
        let next = ada.post(&path, json!({})).await.ok().await["turn"].as_u64().unwrap();
        assert!(next > turn);
    }
}

#[tokio::test]
async fn a_fork_goes_its_own_way() {
    for bed in Bed::each().await {
        let ada = bed.user("ada");
        let id = ada.begin().await;
        ada.say(&id, &["one", "two", "three"]).await;
        let forked = ada.post(&format!("/v1/conversations/{id}/fork"), json!({ "upTo": 2 })).await;
        assert_eq!(forked.status, StatusCode::CREATED);
        let fork = forked.json().await["conversation"]["id"].as_str().unwrap().to_owned();
        ada.say(&fork, &["other"]).await;
        let texts = |messages: Vec<Value>| -> Vec<String> {
            messages.iter().map(|message| message["text"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(texts(ada.messages(&fork).await), ["one", "two", "other"]);
        assert_eq!(texts(ada.messages(&id).await), ["one", "two", "three"]);
    }
}

#[tokio::test]
async fn an_export_has_every_line_and_an_erasure_leaves_none() {
    for bed in Bed::each().await {
        let ada = bed.user("ada");
        let (first, second) = (ada.begin().await, ada.begin().await);
        let texts: Vec<String> = (0..100).map(|n| format!("text {n}")).collect();
        for _ in 0..12 {
            ada.say(&first, &texts.iter().map(String::as_str).collect::<Vec<_>>()).await;
        }
        ada.say(&second, &["other"]).await;
        let lines = |text: String| -> Vec<Value> { text.lines().map(|l| serde_json::from_str(l).unwrap()).collect() };
        let one = ada.get(&format!("/v1/conversations/{first}/export")).await;
        assert_eq!(one.headers["content-type"], "application/x-ndjson");
        let one = lines(one.text().await);
        assert_eq!(one.len(), 1 + 1_200);
        assert_eq!(one[0]["conversation"]["id"], first.as_str());
        assert_eq!(one[1_200]["message"]["message"]["seq"], 1_200);
        let all = lines(ada.get("/v1/conversations/export").await.text().await);
        assert_eq!(all.len(), 2 + 1_200 + 1);

        ada.delete("/v1/conversations").await.problem("request.invalid").await;
        ada.delete("/v1/conversations?confirm=bob").await.problem("request.invalid").await;
        assert_eq!(ada.delete("/v1/conversations?confirm=ada").await.ok().await["conversations"], 2);
        assert_eq!(ada.get("/v1/conversations").await.ok().await["items"], json!([]));
        assert_eq!(ada.get("/v1/conversations/export").await.text().await, "");
    }
}

#[tokio::test]
async fn unknown_fields_and_long_numbers_of_a_message_come_back_as_they_were() {
    for bed in Bed::each().await {
        let ada = bed.user("ada");
        let id = ada.begin().await;
        let message = json!({
            "id": "6f9619ff-8b86-d011-b42d-00cf4fc964ff", "role": "assistant", "kind": "adaptiveCard",
            "cardId": "c1", "cardJson": { "type": "AdaptiveCard" }, "cost": 12_345_678_901_234_567_u64,
        });
        let body = json!({ "messages": [message.clone()] });
        ada.post(&format!("/v1/conversations/{id}/messages"), body).await.ok().await;
        let stored = ada.messages(&id).await.remove(0);
        for (name, value) in message.as_object().unwrap() {
            assert_eq!(stored[name], *value, "{name}");
        }
        for broken in [json!({ "role": "user" }), json!({ "role": "user", "kind": "adaptiveCard" }), json!({})] {
            let body = json!({ "messages": [broken] });
            ada.post(&format!("/v1/conversations/{id}/messages"), body).await.problem("request.invalid").await;
        }
    }
}
