//! Whole answers.

use super::{context, vectors};
use bytes::Bytes;
use mainstay_gateway::Protocol::{self, Anthropic, Gemini, OpenAi, Responses};
use mainstay_gateway::translate;
use mainstay_gateway::usage::Usage;
use serde_json::{Value, json};

pub const USAGE: Usage =
    Usage { input_tokens: 20, cached_tokens: 5, cache_written_tokens: 0, output_tokens: 30, thought_tokens: 7 };

fn answered(client: Protocol, upstream: Protocol) -> (Value, String) {
    let body = Bytes::from_static(vectors::answer(upstream).as_bytes());
    let answered = translate::answer(&context(client, upstream), 200, &body);
    assert_eq!((answered.status, answered.usage), (200, Some(USAGE)), "{upstream} to {client}");
    let text = String::from_utf8(answered.body.to_vec()).unwrap();
    (serde_json::from_str(&text).unwrap(), text)
}

#[test]
fn an_answer_of_every_upstream_is_the_same_chat_completion() {
    for upstream in [Responses, Anthropic, Gemini] {
        let (body, text) = answered(OpenAi, upstream);
        assert!(text.contains("12345678901234567890"), "digits stay: {text}");
        assert_eq!(body["object"], "chat.completion");
        assert_eq!((&body["model"], &body["created"]), (&json!("here"), &json!(1_700_000_000)));
        let choice = &body["choices"][0];
        assert_eq!(choice["finish_reason"], "tool_calls");
        let message = &choice["message"];
        assert_eq!(message["content"], "Grüße, 日本 😀");
        assert_eq!(message["reasoning_content"], "Let me see.");
        assert_eq!(message["tool_calls"][0]["id"], "call_a");
        assert_eq!(message["tool_calls"][0]["function"]["name"], "weather");
        let arguments = r#"{"city":"Paris","n":12345678901234567890}"#;
        assert_eq!(message["tool_calls"][0]["function"]["arguments"], arguments);
        assert_eq!(message["tool_calls"][1]["function"], json!({"name": "time", "arguments": "{}"}));
        assert_eq!(body["usage"]["prompt_tokens"], 20);
        assert_eq!(body["usage"]["completion_tokens_details"]["reasoning_tokens"], 7);
        let extra = &message["tool_calls"][0]["extra_content"];
        let expected = if upstream == Gemini { json!({"google": {"thought_signature": "c2ln"}}) } else { Value::Null };
        assert_eq!(extra, &expected);
    }
}

#[test]
fn an_answer_of_every_upstream_is_the_same_message() {
    for upstream in [OpenAi, Responses, Gemini] {
        let (body, text) = answered(Anthropic, upstream);
        assert!(text.contains(r#""input":{"city":"Paris","n":12345678901234567890}"#), "{text}");
        assert_eq!((&body["type"], &body["role"]), (&json!("message"), &json!("assistant")));
        assert_eq!((&body["stop_reason"], &body["stop_sequence"]), (&json!("tool_use"), &Value::Null));
        let kinds: Vec<_> = body["content"].as_array().unwrap().iter().map(|block| block["type"].clone()).collect();
        let expected = match upstream {
            Gemini => json!(["thinking", "text", "thinking", "tool_use", "tool_use"]),
            _ => json!(["thinking", "text", "tool_use", "tool_use"]),
        };
        assert_eq!(Value::from(kinds), expected);
        let signature = match upstream {
            Responses => "responses#rs_1:gAAA",
            _ => "",
        };
        assert_eq!(body["content"][0]["signature"], signature);
        let usage = json!({"input_tokens": 15, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 5, "output_tokens": 30});
        assert_eq!(body["usage"], usage);
    }
}

#[test]
fn an_answer_of_every_upstream_is_the_same_content() {
    for upstream in [OpenAi, Responses, Anthropic] {
        let (body, text) = answered(Gemini, upstream);
        assert!(text.contains(r#""args":{"city":"Paris","n":12345678901234567890}"#), "{text}");
        let candidate = &body["candidates"][0];
        assert_eq!((&candidate["finishReason"], &candidate["index"]), (&json!("STOP"), &json!(0)));
        let parts = &candidate["content"]["parts"];
        assert_eq!((&parts[0]["text"], &parts[0]["thought"]), (&json!("Let me see."), &json!(true)));
        assert_eq!(parts[1]["text"], "Grüße, 日本 😀");
        assert_eq!(parts[2]["functionCall"]["id"], "call_a");
        assert_eq!(parts[3]["functionCall"], json!({"id": "call_b", "name": "time", "args": {}}));
        let usage = json!({"promptTokenCount": 20, "candidatesTokenCount": 23, "cachedContentTokenCount": 5, "thoughtsTokenCount": 7, "totalTokenCount": 50});
        assert_eq!(body["usageMetadata"], usage);
        assert_eq!(body["modelVersion"], "here");
    }
}

#[test]
fn an_answer_of_every_upstream_is_the_same_response() {
    for upstream in [OpenAi, Anthropic, Gemini] {
        let (body, text) = answered(Responses, upstream);
        assert!(text.contains(r#""temperature":0.70"#), "what was asked is repeated as it was written: {text}");
        assert_eq!((&body["object"], &body["status"]), (&json!("response"), &json!("completed")));
        let kinds: Vec<_> = body["output"].as_array().unwrap().iter().map(|item| item["type"].clone()).collect();
        let expected = match upstream {
            Gemini => json!(["reasoning", "message", "reasoning", "function_call", "function_call"]),
            _ => json!(["reasoning", "message", "function_call", "function_call"]),
        };
        assert_eq!(Value::from(kinds), expected);
        assert_eq!(body["output"][0]["summary"], json!([{"type": "summary_text", "text": "Let me see."}]));
        assert_eq!(body["output"][1]["content"][0]["text"], "Grüße, 日本 😀");
        assert_eq!(body["usage"]["input_tokens_details"]["cached_tokens"], 5);
        assert_eq!(body["tool_choice"], "auto");
    }
}

#[test]
fn between_two_sides_of_one_protocol_an_answer_passes_as_it_is() {
    for protocol in Protocol::ALL {
        let (_, text) = answered(protocol, protocol);
        assert_eq!(text, vectors::answer(protocol));
    }
}

#[test]
fn the_errors_of_an_upstream_have_the_shape_of_the_client() {
    let overloaded =
        Bytes::from_static(br#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#);
    let answered = translate::answer(&context(OpenAi, Anthropic), 529, &overloaded);
    let body: Value = serde_json::from_slice(&answered.body).unwrap();
    assert_eq!((answered.status, &body["error"]["message"]), (503, &json!("Overloaded")));
    assert_eq!(body["error"]["type"], "overloaded_error");
    let answered = translate::answer(&context(Anthropic, OpenAi), 503, &Bytes::from_static(b"upstream connect error"));
    let body: Value = serde_json::from_slice(&answered.body).unwrap();
    assert_eq!((answered.status, &body["error"]["type"]), (529, &json!("overloaded_error")));
    let limited =
        br#"{"error":{"message":"Rate limit reached","type":"tokens","param":null,"code":"rate_limit_exceeded"}}"#;
    let answered = translate::answer(&context(Gemini, OpenAi), 429, &Bytes::from_static(limited));
    let body: Value = serde_json::from_slice(&answered.body).unwrap();
    let expected = json!({"error": {"code": 429, "message": "Rate limit reached", "status": "RESOURCE_EXHAUSTED"}});
    assert_eq!((answered.status, body), (429, expected));
}

#[test]
fn an_answer_that_is_none_is_an_error_of_the_upstream() {
    for upstream in Protocol::ALL {
        for client in Protocol::ALL.into_iter().filter(|client| *client != upstream) {
            for body in [
                "",
                "<html>",
                "[]",
                "null",
                "{",
                "\"text\"",
                r#"{"choices":7,"content":{},"output":"","candidates":false}"#,
            ] {
                let body = Bytes::from_static(body.as_bytes());
                let answered = translate::answer(&context(client, upstream), 200, &body);
                assert_eq!((answered.status, answered.usage), (502, None), "{upstream} to {client}: {body:?}");
            }
        }
    }
}

#[test]
fn what_gemini_blocks_is_a_refusal() {
    let blocked =
        Bytes::from_static(br#"{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":3}}"#);
    let answered = translate::answer(&context(OpenAi, Gemini), 200, &blocked);
    let body: Value = serde_json::from_slice(&answered.body).unwrap();
    assert_eq!(body["choices"][0]["finish_reason"], "content_filter");
    assert_eq!(body["choices"][0]["message"]["refusal"], "The request was blocked: SAFETY.");
}
