//! Chats by the routes of the original: their shapes, their errors, their turns.

use super::bed::{Bed, GatedAgent, token, token_until};
use crate::support::Reply;
use http::{Method, StatusCode};
use mainstay_core::conversations::{Agent, AgentError};
use serde_json::{Value, json};
use std::sync::Arc;

async fn start(user: &super::bed::User) -> String {
    let started = user.call(Method::POST, "/api/chat/start", None).await.ok().await;
    started["conversationId"].as_str().unwrap().to_owned()
}

/// The document of a refusal, with what clients of the original read of it.
async fn refused(reply: Reply, (status, code, error): (u16, &str, &str)) -> Value {
    assert_eq!(reply.status.as_u16(), status, "{code}");
    let problem = reply.problem(code).await;
    assert_eq!(problem["error"], error, "{problem}");
    assert_eq!(problem["message"], problem["detail"]);
    problem
}

#[tokio::test]
async fn a_chat_goes_by_the_routes_of_the_original() {
    for bed in Bed::each().await {
        let ada = bed.user("ada");
        let started = ada.call(Method::POST, "/api/chat/start", None).await.ok().await;
        let id = started["conversationId"].as_str().unwrap();
        let initial = json!({
            "step": "initial", "turnCount": 0, "status": "active", "userId": "ada", "tenantId": "acme",
        });
        assert_eq!(started["workflowState"], initial);
        let body = json!({ "conversationId": id, "text": "Hello", "workflowContext": { "step": "initial" } });
        let answer = ada.post("/api/chat/send", body).await.ok().await;
        assert_eq!(answer["conversationId"], id);
        assert_eq!(answer["workflowState"]["turnCount"], 1);
        let messages = answer["messages"].as_array().unwrap();
        assert_eq!(messages.len(), 1, "only what the agent said");
        assert_eq!((&messages[0]["role"], &messages[0]["kind"]), (&json!("assistant"), &json!("text")));
        assert_eq!(messages[0]["text"], "Hello");
        assert_eq!(messages[0]["id"].as_str().unwrap().len(), 36);

        let action = json!({
            "conversationId": id, "cardId": "c1", "userSummary": "Chose red",
            "submitData": { "type": "Action.Submit", "color": "red" },
        });
        ada.post("/api/chat/card-action", action).await.ok().await;
        let stored = ada.messages(id).await;
        let roles: Vec<&str> = stored.iter().map(|message| message["role"].as_str().unwrap()).collect();
        assert_eq!(roles, ["user", "assistant", "user", "assistant"]);
        assert_eq!(stored[2]["cardId"], "c1");
        assert_eq!(stored[2]["extractedPayload"]["data"]["color"], "red");

        let path = format!("/api/chat/conversation/{id}/status");
        let changed = ada.call(Method::PATCH, &path, Some(json!({ "status": "completed" }))).await.ok().await;
        assert_eq!((&changed["conversationId"], &changed["status"]), (&json!(id), &json!("completed")));
        let listed = ada.post("/api/chat/list-conversations", json!({})).await.ok().await;
        assert_eq!(listed["conversations"][0]["id"], id);
        assert_eq!(listed["conversations"][0]["status"], "completed");
        assert_eq!(listed["nextCursor"], Value::Null);
    }
}

#[tokio::test]
async fn chats_are_listed_in_pages_of_at_most_fifty() {
    for bed in Bed::each().await {
        let ada = bed.user("ada");
        for _ in 0..3 {
            start(&ada).await;
        }
        let mut seen = Vec::new();
        let mut cursor = Value::Null;
        loop {
            let body = json!({ "limit": 2, "cursor": cursor });
            let page = ada.post("/api/chat/list-conversations", body).await.ok().await;
            seen.extend(page["conversations"].as_array().unwrap().iter().map(|c| c["id"].to_string()));
            cursor = page["nextCursor"].clone();
            if cursor.is_null() {
                break;
            }
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 3);
        let too_many = ada.post("/api/chat/list-conversations", json!({ "limit": 51 })).await;
        refused(too_many, (400, "request.invalid", "Invalid request")).await;
    }
}

#[tokio::test]
async fn refusals_have_the_shape_that_clients_of_the_original_read() {
    for bed in Bed::each().await {
        let ada = bed.user("ada");
        let id = start(&ada).await;
        let invalid = ada.chat(&id, "").await;
        let problem = refused(invalid, (400, "request.invalid", "Invalid request")).await;
        assert_eq!(problem["details"], problem["detail"]);
        let unknown = ada.chat("0b0f1c1e-93a5-4f65-8a8f-4cb2d1f7a001", "hi").await;
        refused(unknown, (404, "conversations.not_found", "Conversation not found")).await;
        assert_eq!(ada.get("/v1/conversations").await.ok().await["items"].as_array().unwrap().len(), 1);
        let no_route = ada.post("/api/chat/nowhere", json!({})).await;
        assert_eq!(no_route.status, StatusCode::NOT_FOUND);
        assert!(no_route.problem("request.no_such_route").await["error"].is_string());
        let card = json!({
            "conversationId": id, "cardId": "c", "userSummary": "s", "submitData": { "url": "https://evil.example" },
        });
        let card = ada.post("/api/chat/card-action", card).await;
        assert_eq!(card.status, StatusCode::FORBIDDEN);
        assert!(card.problem("conversations.card_refused").await["error"].is_string());
        assert!(ada.messages(&id).await.is_empty());

        let expired = bed.node.bearer(&token_until("acme", "ada", ("member", 1_000)));
        let reply = expired.chat(&id, "hi").await;
        assert!(reply.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
        refused(reply, (401, "auth.token_expired", "token_expired")).await;
        let stranger = bed.node.bearer(&token("initech", "ada", "member")).chat(&id, "hi").await;
        refused(stranger, (403, "auth.tenant_not_allowed", "tenant_not_allowed")).await;
    }
}

#[tokio::test]
async fn of_ten_simultaneous_messages_one_is_answered_and_the_others_are_told_to_wait() {
    let agent = GatedAgent::new();
    for bed in Bed::each_with(&(agent.clone() as Arc<dyn Agent>)).await {
        let ada = bed.user("ada");
        let id = start(&ada).await;
        let sends = (0..10).map(|n| {
            let (ada, id) = (ada.clone(), id.clone());
            tokio::spawn(async move { ada.chat(&id, &format!("message {n}")).await })
        });
        let mut sends: Vec<_> = sends.collect();
        agent.question().await;
        let mut busy = 0;
        while busy < 9 {
            let (done, _, rest) = futures::future::select_all(sends).await;
            let reply = done.unwrap();
            assert_eq!(reply.status, StatusCode::CONFLICT);
            assert!(reply.headers.contains_key("retry-after"));
            reply.problem("conversations.turn_busy").await;
            (busy, sends) = (busy + 1, rest);
        }
        agent.let_answer(1);
        let answer = sends.remove(0).await.unwrap().ok().await;
        assert_eq!(answer["messages"].as_array().unwrap().len(), 1);
        let stored = ada.messages(&id).await;
        assert_eq!(stored.len(), 2, "{stored:?}");
        assert_eq!(stored[1]["text"], stored[0]["text"]);
        assert!(stored.iter().all(|message| message.get("state").is_none()));
    }
}

#[tokio::test]
async fn a_turn_that_fails_leaves_the_message_marked_and_nothing_else() {
    let agent = GatedAgent::new();
    for bed in Bed::each_with(&(agent.clone() as Arc<dyn Agent>)).await {
        let ada = bed.user("ada");
        let id = start(&ada).await;
        agent.let_answer(1);
        ada.chat(&id, "first").await.ok().await;
        let detail = || "it is down".to_owned();
        let failures = [
            (AgentError::Failed { detail: detail(), internal: "10.0.0.7".into() }, 502, "conversations.agent_failed"),
            (
                AgentError::Unavailable { detail: detail(), internal: "10.0.0.7".into() },
                503,
                "conversations.agent_unavailable",
            ),
        ];
        let before = ada.get(&format!("/v1/conversations/{id}")).await.ok().await["workflow"].clone();
        for (failure, status, code) in failures {
            agent.fail(Some(failure));
            agent.let_answer(1);
            let reply = ada.chat(&id, "lost").await;
            assert_eq!(reply.status.as_u16(), status);
            let problem = reply.problem(code).await;
            assert!(!problem.to_string().contains("10.0.0.7"));
        }
        agent.fail(None);
        let shown = ada.get(&format!("/v1/conversations/{id}")).await.ok().await;
        assert_eq!(shown["workflow"], before);
        assert!(shown.get("turn").is_none());
        let states: Vec<Value> = ada.messages(&id).await.iter().map(|m| m["state"].clone()).collect();
        assert_eq!(states, [Value::Null, Value::Null, json!("failed"), json!("failed")]);
        agent.let_answer(1);
        let next = ada.chat(&id, "again").await.ok().await;
        assert_eq!(next["messages"][0]["text"], "first|first|again", "failed messages are not asked again");
        assert_eq!(next["workflowState"]["turnCount"], 2);
        while agent.asked.try_acquire().map(tokio::sync::SemaphorePermit::forget).is_ok() {}
    }
}

#[tokio::test]
async fn a_repeated_message_gets_the_first_answer_and_is_refused_while_it_is_worked_on() {
    let agent = GatedAgent::new();
    for bed in Bed::each_with(&(agent.clone() as Arc<dyn Agent>)).await {
        let ada = bed.user("ada");
        let id = start(&ada).await;
        let path = format!("/v1/conversations/{id}/send");
        let send = || {
            let (ada, path) = (ada.clone(), path.clone());
            async move {
                let call = (path.as_str(), Some(json!({ "text": "once" })));
                ada.call_with(&[("idempotency-key", "k")], Method::POST, call).await
            }
        };
        let first = tokio::spawn(send());
        agent.question().await;
        send().await.problem("conversations.turn_busy").await;
        agent.let_answer(1);
        let first = first.await.unwrap().ok().await;
        let again = send().await.ok().await;
        assert_eq!((&first["replayed"], &again["replayed"]), (&json!(false), &json!(true)));
        assert_eq!(first["messages"], again["messages"]);
        let other = (path.as_str(), Some(json!({ "text": "other" })));
        let reused = ada.call_with(&[("idempotency-key", "k")], Method::POST, other).await;
        reused.problem("request.id_reused").await;
        assert_eq!(ada.messages(&id).await.len(), 2);
    }
}

#[tokio::test]
async fn an_answer_is_stored_though_the_caller_has_gone() {
    let agent = GatedAgent::new();
    for bed in Bed::each_with(&(agent.clone() as Arc<dyn Agent>)).await {
        let ada = bed.user("ada");
        let id = start(&ada).await;
        let (caller, asked) = (ada.clone(), id.clone());
        let call = tokio::spawn(async move { caller.chat(&asked, "and?").await });
        agent.question().await;
        let mut events = ada.get(&format!("/v1/conversations/{id}/events?after=1")).await.events();
        events.expect("ready").await;
        call.abort();
        agent.let_answer(1);
        let told = events.expect("message").await;
        assert_eq!((&told.data["role"], told.id.as_deref()), (&json!("assistant"), Some("2")));
    }
}
