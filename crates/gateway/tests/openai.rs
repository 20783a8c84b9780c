//! The agent against an OpenAI-compatible upstream.

use mainstay_core::api::conversations::{Message, NewMessage, Role};
use mainstay_core::api::{ConversationId, Timestamp};
use mainstay_core::conversations::{Agent, AgentError, Prompt};
use mainstay_gateway::{OpenAiAgent, OpenAiOptions};
use mainstay_testkit::fixtures::{Answering, FakeUpstream};
use serde_json::{Value, json};
use url::Url;

fn prompt(texts: &[(Role, &str)]) -> Prompt {
    let history = texts.iter().zip(1..).map(|((role, text), seq)| Message {
        content: NewMessage::text(*role, *text),
        seq,
        at: Timestamp::from_millis(0),
        turn: None,
        state: None,
    });
    Prompt {
        conversation: ConversationId::parse("c-1").unwrap(),
        history: history.collect(),
        workflow: Value::Null,
        context: None,
    }
}

fn options(url: &str) -> OpenAiOptions {
    OpenAiOptions { key: Some("sk-test".into()), ..OpenAiOptions::new(Url::parse(url).unwrap(), "small") }
}

async fn ask(upstream: &FakeUpstream) -> Result<Vec<NewMessage>, AgentError> {
    let agent = OpenAiAgent::new(options(&upstream.url())).unwrap();
    agent.answer(prompt(&[(Role::User, "Hello")])).await
}

#[tokio::test]
async fn the_whole_conversation_is_asked_each_time_and_nothing_of_another() {
    let upstream = FakeUpstream::start().await.unwrap();
    let agent = OpenAiAgent::new(OpenAiOptions { system_prompt: Some("Be brief.".into()), ..options(&upstream.url()) })
        .unwrap();
    let first = prompt(&[(Role::User, "I am A"), (Role::Assistant, "Hello A"), (Role::User, "Who am I?")]);
    let (answer, other) = tokio::join!(agent.answer(first), agent.answer(prompt(&[(Role::User, "I am B")])));
    assert_eq!(answer.unwrap()[0].text.as_deref(), Some("You said: Who am I?"));
    assert_eq!(other.unwrap()[0].text.as_deref(), Some("You said: I am B"));
    let mut asked = upstream.asked();
    asked.sort_by_key(|asked| asked.body["messages"].as_array().map(Vec::len));
    assert_eq!(asked[0].path, "/v1/chat/completions");
    assert_eq!(asked[0].authorization.as_deref(), Some("Bearer sk-test"));
    let told = json!([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "I am B"}]);
    assert_eq!(asked[0].body, json!({"model": "small", "messages": told, "stream": false}));
    assert_eq!(asked[1].body["messages"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn an_upstream_that_refuses_or_babbles_has_failed() {
    let upstream = FakeUpstream::start().await.unwrap();
    let complaint = r#"{"error":{"message":"sk-test is wrong"}}"#;
    for (status, body) in [(401, complaint), (400, "{}"), (500, "oops"), (302, ""), (200, "<html>")] {
        upstream.answer(Answering::Status(status, body.into()));
        let error = ask(&upstream).await.unwrap_err();
        let AgentError::Failed { detail, .. } = &error else { panic!("{status}: {error:?}") };
        assert!(!detail.contains("sk-test"), "{detail}");
    }
    upstream.answer(Answering::Closing);
    assert!(ask(&upstream).await.is_err());
}

#[tokio::test]
async fn an_upstream_that_is_away_or_overrun_is_unavailable() {
    let upstream = FakeUpstream::start().await.unwrap();
    for status in [429, 502, 503, 504] {
        upstream.answer(Answering::Status(status, String::new()));
        assert!(matches!(ask(&upstream).await, Err(AgentError::Unavailable { .. })), "{status}");
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let agent = OpenAiAgent::new(options(&closed)).unwrap();
    let error = agent.answer(prompt(&[(Role::User, "Hello")])).await.unwrap_err();
    let AgentError::Unavailable { detail, internal } = error else { panic!("{error:?}") };
    assert_eq!(detail, "the agent cannot be reached");
    assert!(internal.contains(&closed), "{internal}");
}

#[tokio::test]
async fn an_answer_without_end_in_time_or_size_is_a_failure() {
    let upstream = FakeUpstream::start().await.unwrap();
    upstream.answer(Answering::Never);
    let agent = OpenAiAgent::new(OpenAiOptions { answer_timeout_ms: 50, ..options(&upstream.url()) }).unwrap();
    let error = agent.answer(prompt(&[(Role::User, "Hello")])).await.unwrap_err();
    assert!(matches!(&error, AgentError::Failed { detail, .. } if detail.contains("within 50 ms")), "{error:?}");

    upstream.answer(Answering::Text("x".repeat(2_000)));
    let agent = OpenAiAgent::new(OpenAiOptions { max_answer_bytes: 1_000, ..options(&upstream.url()) }).unwrap();
    let error = agent.answer(prompt(&[(Role::User, "Hello")])).await.unwrap_err();
    assert!(matches!(&error, AgentError::Failed { detail, .. } if detail.contains("1000 bytes")), "{error:?}");
}
