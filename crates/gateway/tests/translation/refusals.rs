//! What cannot be passed on is refused, with its name.

use super::options;
use mainstay_gateway::Protocol::{self, Anthropic, Gemini, OpenAi, Responses};
use mainstay_gateway::translate;
use serde_json::Value;

fn refused(client: Protocol, upstream: Protocol, body: &str) -> (String, String) {
    let mut options = options();
    options.model = (client == Gemini).then(|| "here".to_owned());
    let refused = translate::request(client, upstream, body.as_bytes(), &options).unwrap_err();
    let (status, answer) = refused.answer(client);
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!((status, answer["error"]["message"].as_str()), (400, Some(refused.message.as_str())));
    (refused.member, refused.message)
}

#[test]
fn members_that_the_upstream_lacks_are_named() {
    let chat = |more: &str| format!(r#"{{"model":"m","messages":[{{"role":"user","content":"Hi"}}],{more}}}"#);
    let messages =
        |more: &str| format!(r#"{{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":"Hi"}}],{more}}}"#);
    let contents = |more: &str| format!(r#"{{"contents":[{{"parts":[{{"text":"Hi"}}]}}],{more}}}"#);
    let response = |more: &str| format!(r#"{{"model":"m","input":"Hi",{more}}}"#);
    for (client, upstream, body, member) in [
        (OpenAi, Anthropic, chat(r#""n":2"#), "n"),
        (OpenAi, Anthropic, chat(r#""logprobs":true"#), "logprobs"),
        (OpenAi, Gemini, chat(r#""logit_bias":{"5":1}"#), "logit_bias"),
        (OpenAi, Gemini, chat(r#""modalities":["text","audio"]"#), "modalities"),
        (OpenAi, Anthropic, chat(r#""functions":[{"name":"f"}]"#), "functions"),
        (OpenAi, Anthropic, chat(r#""temperature":1.5"#), "temperature"),
        (OpenAi, Anthropic, chat(r#""presence_penalty":0.5"#), "presence_penalty"),
        (OpenAi, Anthropic, chat(r#""stop":[" "]"#), "stop"),
        (OpenAi, Responses, chat(r#""stop":"x""#), "stop"),
        (OpenAi, Anthropic, chat(r#""tools":[{"type":"custom","custom":{"name":"x"}}]"#), "tools[0].type"),
        (OpenAi, Anthropic, chat(r#""response_format":{"type":"grammar"}"#), "response_format.type"),
        (OpenAi, Anthropic, chat(r#""reasoning_effort":"huge""#), "reasoning_effort"),
        (Anthropic, OpenAi, messages(r#""top_k":5"#), "top_k"),
        (
            Anthropic,
            OpenAi,
            messages(r#""tools":[{"type":"web_search_20250305","name":"web_search"}]"#),
            "tools[0].type",
        ),
        (Anthropic, OpenAi, messages(r#""mcp_servers":[{"url":"x"}]"#), "mcp_servers"),
        (Gemini, OpenAi, contents(r#""cachedContent":"cachedContents/1""#), "cachedContent"),
        (Gemini, OpenAi, contents(r#""generationConfig":{"topK":5}"#), "generationConfig.topK"),
        (Gemini, Anthropic, contents(r#""generationConfig":{"candidateCount":2}"#), "generationConfig.candidateCount"),
        (Gemini, Anthropic, contents(r#""tools":[{"googleSearch":{}}]"#), "tools[0].googleSearch"),
        (Responses, OpenAi, response(r#""previous_response_id":"resp_1""#), "previous_response_id"),
        (Responses, Gemini, response(r#""background":true"#), "background"),
        (Responses, Anthropic, response(r#""tools":[{"type":"web_search"}]"#), "tools[0].type"),
    ] {
        assert_eq!(refused(client, upstream, &body).0, member, "{client} to {upstream}: {body}");
    }
}

#[test]
fn what_says_nothing_is_not_refused() {
    let body = r#"{"model":"m","messages":[{"role":"user","content":"Hi"}],"n":1,"logprobs":false,"logit_bias":{},"presence_penalty":0,"frequency_penalty":0.0,"stop":null,"functions":null,"modalities":["text"],"temperature":1}"#;
    for upstream in [Anthropic, Gemini, Responses] {
        assert!(translate::request(OpenAi, upstream, body.as_bytes(), &options()).is_ok(), "{upstream}");
    }
}

#[test]
fn parts_that_the_upstream_lacks_are_named() {
    let chat = |content: &str| format!(r#"{{"model":"m","messages":[{{"role":"user","content":[{content}]}}]}}"#);
    for (client, upstream, body, member) in [
        (
            OpenAi,
            Anthropic,
            chat(r#"{"type":"input_audio","input_audio":{"data":"AA==","format":"wav"}}"#),
            "messages[0].content[0]",
        ),
        (
            OpenAi,
            Gemini,
            chat(r#"{"type":"text","text":"a"},{"type":"file","file":{"file_id":"file-1"}}"#),
            "messages[0].content[1].file.file_id",
        ),
        (OpenAi, Gemini, chat(r#"{"type":"video"}"#), "messages[0].content[0].type"),
        (
            Gemini,
            OpenAi,
            r#"{"contents":[{"parts":[{"inlineData":{"mimeType":"video/mp4","data":"AA=="}}]}]}"#.into(),
            "contents[0].parts[0].inlineData.mimeType",
        ),
        (
            Gemini,
            Anthropic,
            r#"{"contents":[{"parts":[{"functionResponse":{"name":"f","response":{}}}]}]}"#.into(),
            "contents[0].parts[0].functionResponse",
        ),
        (
            OpenAi,
            Gemini,
            r#"{"model":"m","messages":[{"role":"tool","tool_call_id":"x","content":"y"}]}"#.into(),
            "messages[0]",
        ),
        (
            OpenAi,
            Anthropic,
            r#"{"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{"}}]}]}"#.into(),
            "messages[0].tool_calls[0].function.arguments",
        ),
        (
            Anthropic,
            OpenAi,
            r#"{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"{"}]}"#.into(),
            "messages",
        ),
        (Anthropic, OpenAi, r#"{"model":"m","messages":[{"role":"user","content":[{"type":"server_tool_use"}]}]}"#.into(), "messages[0].content[0].type"),
        (Responses, OpenAi, r#"{"model":"m","input":[{"type":"item_reference","id":"x"}]}"#.into(), "input[0]"),
    ] {
        assert_eq!(refused(client, upstream, &body).0, member, "{client} to {upstream}: {body}");
    }
}

#[test]
fn a_body_that_is_none_is_refused() {
    for client in Protocol::ALL {
        for upstream in Protocol::ALL {
            for body in ["", "{", "[]", "null", "7", "\"x\"", "{}", r#"{"model":7}"#, "\u{feff}{}"] {
                if client == Gemini && upstream == Gemini && body == "{}" {
                    continue;
                }
                if client == Gemini && upstream == Gemini && body.contains("model") {
                    continue;
                }
                refused(client, upstream, body);
            }
        }
    }
    let mut invalid = br#"{"model":"m","messages":[{"role":"user","content":""#.to_vec();
    invalid.extend(b"\xff\"}]}");
    assert!(translate::request(OpenAi, Anthropic, &invalid, &options()).unwrap_err().message.contains("UTF-8"));
}

#[test]
fn a_complaint_about_a_long_name_is_short() {
    let name = "x".repeat(100_000);
    let body = format!(r#"{{"contents":[{{"parts":[{{"{name}":1}}]}}]}}"#);
    let (member, message) = refused(Gemini, OpenAi, &body);
    assert!(member.len() <= 200 && message.len() <= 1_000);
}
