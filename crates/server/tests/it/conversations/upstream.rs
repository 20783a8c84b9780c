//! A chat with an OpenAI-compatible upstream.

use super::bed::Bed;
use http::StatusCode;
use mainstay_core::conversations::Agent;
use mainstay_gateway::{OpenAiAgent, OpenAiOptions};
use mainstay_testkit::fixtures::{Answering, FakeUpstream};
use std::sync::Arc;

fn agent(url: &str) -> Arc<dyn Agent> {
    Arc::new(OpenAiAgent::new(OpenAiOptions::new(url.parse().unwrap(), "small")).unwrap())
}

#[tokio::test]
async fn an_upstream_answers_with_the_history_of_this_conversation_alone() {
    let upstream = FakeUpstream::start().await.unwrap();
    for bed in Bed::each_with(&agent(&upstream.url())).await {
        let (ada, eve) = (bed.user("ada"), bed.user("eve"));
        let (of_ada, of_eve) = (ada.begin().await, eve.begin().await);
        ada.chat(&of_ada, "I am Ada").await.ok().await;
        eve.chat(&of_eve, "I am Eve").await.ok().await;
        let answer = ada.chat(&of_ada, "Who am I?").await.ok().await;
        assert_eq!(answer["messages"][0]["text"], "You said: Who am I?");
        let last = upstream.asked().pop().unwrap().body["messages"].to_string();
        assert!(last.contains("I am Ada") && !last.contains("Eve"), "{last}");
        assert_eq!(ada.messages(&of_ada).await.len(), 4);
    }
}

#[tokio::test]
async fn an_upstream_that_is_away_is_never_taken_for_the_store() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    for bed in Bed::each_with(&agent(&closed)).await {
        let ada = bed.user("ada");
        let id = ada.begin().await;
        let reply = ada.chat(&id, "hello").await;
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(reply.headers.contains_key("retry-after"));
        let problem = reply.problem("conversations.agent_unavailable").await;
        assert!(!problem.to_string().contains("127.0.0.1"), "{problem}");
        assert_eq!(ada.get("/health/ready").await.status, StatusCode::OK);
        assert_eq!(ada.messages(&id).await[0]["state"], "failed");
    }
    let upstream = FakeUpstream::start().await.unwrap();
    upstream.answer(Answering::Status(500, "oops".into()));
    let bed = Bed::sqlite(agent(&upstream.url())).await;
    let ada = bed.user("ada");
    let id = ada.begin().await;
    let reply = ada.chat(&id, "hello").await;
    assert_eq!(reply.status, StatusCode::BAD_GATEWAY);
    reply.problem("conversations.agent_failed").await;
}
