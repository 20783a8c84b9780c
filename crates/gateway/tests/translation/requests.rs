//! Requests.

use super::{asked, asked_with, options};
use mainstay_gateway::Protocol::{self, Anthropic, Gemini, OpenAi, Responses};
use serde_json::{Value, json};

/// A conversation with an image, tools that were called at once, and their answers, as a client of OpenAI sends it.
const CHAT: &str = r#"{
  "model": "here",
  "messages": [
    {"role": "system", "content": "Be brief."},
    {"role": "developer", "content": [{"type": "text", "text": "Speak French."}]},
    {"role": "user", "content": [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,/9j/4AAQ", "detail": "high"}}, {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}]},
    {"role": "assistant", "content": null, "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\": \"Paris\", \"n\": 12345678901234567890}"}}, {"id": "call_2", "type": "function", "function": {"name": "time", "arguments": ""}}]},
    {"role": "tool", "tool_call_id": "call_2", "content": "noon"},
    {"role": "tool", "tool_call_id": "call_1", "content": "{\"celsius\": 20.0}"},
    {"role": "user", "content": "And now?"}
  ],
  "tools": [{"type": "function", "function": {"name": "weather", "description": "The weather", "parameters": {"type": "object", "properties": {"n": {"type": "number", "maximum": 1.0e2}}}, "strict": true}}, {"type": "function", "function": {"name": "time"}}],
  "tool_choice": {"type": "function", "function": {"name": "weather"}},
  "parallel_tool_calls": false,
  "temperature": 0.70, "top_p": 0.9, "seed": 7, "stop": ["END"], "max_completion_tokens": 100,
  "user": "u1", "store": true, "metadata": {"a": "b"}
}"#;

#[test]
fn a_chat_is_asked_of_anthropic() {
    let (body, translated) = asked(OpenAi, Anthropic, CHAT);
    assert_eq!((&body["model"], &translated.model), (&json!("there"), &"here".to_owned()));
    assert_eq!((&body["system"], &body["max_tokens"]), (&json!("Be brief.\n\nSpeak French."), &json!(100)));
    let expected = json!([
        {"role": "user", "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "/9j/4AAQ"}},
            {"type": "image", "source": {"type": "url", "url": "https://example.com/cat.png"}},
        ]},
        {"role": "assistant", "content": [
            {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Paris", "n": 12_345_678_901_234_567_890_u64}},
            {"type": "tool_use", "id": "call_2", "name": "time", "input": {}},
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "call_2", "content": "noon"},
            {"type": "tool_result", "tool_use_id": "call_1", "content": "{\"celsius\": 20.0}"},
            {"type": "text", "text": "And now?"},
        ]},
    ]);
    assert_eq!(body["messages"], expected);
    assert_eq!(body["tools"][0]["name"], "weather");
    assert_eq!(body["tools"][1], json!({"name": "time", "input_schema": {"type": "object"}}));
    assert_eq!(body["tool_choice"], json!({"type": "tool", "name": "weather", "disable_parallel_tool_use": true}));
    assert_eq!(body["stop_sequences"], json!(["END"]));
    assert_eq!(body["metadata"], json!({"user_id": "u1"}));
    let text = std::str::from_utf8(&translated.body).unwrap();
    assert!(text.contains(r#""temperature":0.70"#) && text.contains(r#""maximum": 1.0e2"#), "{text}");
    let mut dropped = translated.dropped;
    dropped.sort();
    assert_eq!(dropped, ["metadata", "seed", "store"]);
}

#[test]
fn a_chat_is_asked_of_gemini() {
    let (body, translated) = asked(OpenAi, Gemini, CHAT);
    assert_eq!(body["systemInstruction"], json!({"parts": [{"text": "Be brief.\n\nSpeak French."}]}));
    let expected = json!([
        {"role": "user", "parts": [
            {"text": "What is this?"},
            {"inlineData": {"mimeType": "image/jpeg", "data": "/9j/4AAQ"}},
            {"fileData": {"mimeType": "image/png", "fileUri": "https://example.com/cat.png"}},
        ]},
        {"role": "model", "parts": [
            {"functionCall": {"name": "weather", "args": {"city": "Paris", "n": 12_345_678_901_234_567_890_u64}}},
            {"functionCall": {"name": "time", "args": {}}},
        ]},
        // Without ids, the order tells which answer is whose.
        {"role": "user", "parts": [
            {"functionResponse": {"name": "weather", "response": {"celsius": 20.0}}},
            {"functionResponse": {"name": "time", "response": {"output": "noon"}}},
            {"text": "And now?"},
        ]},
    ]);
    assert_eq!(body["contents"], expected);
    let calling = json!({"mode": "ANY", "allowedFunctionNames": ["weather"]});
    assert_eq!(body["toolConfig"]["functionCallingConfig"], calling);
    let declared = &body["tools"][0]["functionDeclarations"];
    assert_eq!((&declared[0]["name"], &declared[1]), (&json!("weather"), &json!({"name": "time"})));
    let config = &body["generationConfig"];
    assert_eq!((&config["maxOutputTokens"], &config["stopSequences"]), (&json!(100), &json!(["END"])));
    assert!(std::str::from_utf8(&translated.body).unwrap().contains(r#""parametersJsonSchema":{"type": "object""#));
    assert!(translated.dropped.contains(&"parallel_tool_calls".to_owned()));
}

#[test]
fn a_chat_is_asked_of_responses() {
    let body = CHAT.replace(r#""stop": ["END"],"#, "");
    let (body, _) = asked(OpenAi, Responses, &body);
    assert_eq!(body["instructions"], "Be brief.\n\nSpeak French.");
    let kinds: Vec<&str> =
        body["input"].as_array().unwrap().iter().map(|item| item["type"].as_str().unwrap()).collect();
    let expected =
        ["message", "function_call", "function_call", "function_call_output", "function_call_output", "message"];
    assert_eq!(kinds, expected);
    let image = &body["input"][0]["content"][1];
    assert_eq!(
        image,
        &json!({"type": "input_image", "image_url": "data:image/jpeg;base64,/9j/4AAQ", "detail": "high"})
    );
    assert_eq!((&body["store"], &body["max_output_tokens"]), (&json!(false), &json!(100)));
    assert_eq!(body["tool_choice"], json!({"type": "function", "name": "weather"}));
    assert_eq!((&body["tools"][0]["strict"], &body["tools"][1]["strict"]), (&json!(true), &json!(false)));
}

/// The same conversation as a client of Anthropic sends it.
const MESSAGES: &str = r#"{
  "model": "here", "max_tokens": 1000,
  "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
  "messages": [
    {"role": "user", "content": [{"type": "text", "text": "What is this?"}, {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBO"}}]},
    {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": "EqQB"}, {"type": "text", "text": "I look."}, {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Paris"}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "is_error": true, "content": [{"type": "text", "text": "rain"}, {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}]}, {"type": "text", "text": "Well?"}]}
  ],
  "tools": [{"name": "weather", "description": "The weather", "input_schema": {"type": "object", "properties": {}}}],
  "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
  "thinking": {"type": "enabled", "budget_tokens": 4096},
  "stop_sequences": ["END"], "temperature": 1, "stream": true, "metadata": {"user_id": "u1"}
}"#;

#[test]
fn messages_are_asked_of_openai() {
    let (body, translated) = asked(Anthropic, OpenAi, MESSAGES);
    let expected = json!([
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}},
        ]},
        {"role": "assistant", "content": "I look.", "tool_calls": [
            {"id": "toolu_1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\": \"Paris\"}"}},
        ]},
        {"role": "tool", "tool_call_id": "toolu_1", "content": "rain"},
        {"role": "user", "content": [
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
            {"type": "text", "text": "Well?"},
        ]},
    ]);
    assert_eq!(body["messages"], expected);
    assert_eq!((&body["stream"], &body["stream_options"]), (&json!(true), &json!({"include_usage": true})));
    assert_eq!((&body["max_tokens"], &body["reasoning_effort"]), (&json!(1000), &json!("medium")));
    assert_eq!((&body["tool_choice"], &body["parallel_tool_calls"]), (&json!("auto"), &json!(false)));
    assert_eq!((&body["stop"], &body["user"]), (&json!(["END"]), &json!("u1")));
    assert!(translated.stream);
}

#[test]
fn messages_are_asked_of_gemini() {
    let (body, _) = asked(Anthropic, Gemini, MESSAGES);
    let parts = &body["contents"][2]["parts"];
    assert_eq!(parts[0], json!({"functionResponse": {"name": "weather", "response": {"error": "rain"}}}));
    assert_eq!(parts[1], json!({"inlineData": {"mimeType": "image/png", "data": "AAAA"}}));
    let thinking = json!({"thinkingBudget": 4096, "includeThoughts": true});
    assert_eq!(body["generationConfig"]["thinkingConfig"], thinking);
    // A proof of another upstream's is of no use here.
    assert_eq!(body["contents"][1]["parts"][0], json!({"text": "I look."}));
}

/// As a client of Google sends it, in both spellings.
const CONTENTS: &str = r#"{
  "systemInstruction": {"role": "user", "parts": [{"text": "Be brief."}]},
  "contents": [
    {"role": "user", "parts": [{"text": "What is this?"}, {"inline_data": {"mime_type": "image/png", "data": "-_8"}}]},
    {"role": "model", "parts": [{"functionCall": {"name": "weather", "args": {"n": 1}}, "thoughtSignature": "c2ln"}, {"functionCall": {"name": "weather", "args": {"n": 2}}}]},
    {"role": "user", "parts": [{"functionResponse": {"name": "weather", "response": {"result": "rain"}}}, {"functionResponse": {"name": "weather", "response": {"a": 1, "b": [2.50]}}}]}
  ],
  "tools": [{"functionDeclarations": [{"name": "weather", "description": "The weather", "parameters": {"type": "OBJECT", "properties": {"n": {"type": "INTEGER", "nullable": true}}}}]}],
  "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["weather"]}},
  "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
  "generationConfig": {"temperature": 0.5, "maxOutputTokens": 64, "stopSequences": ["END"], "responseMimeType": "application/json", "responseSchema": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}, "propertyOrdering": ["a"]}, "mediaResolution": "MEDIA_RESOLUTION_LOW"}
}"#;

#[test]
fn contents_are_asked_of_openai() {
    let (body, translated) = asked(Gemini, OpenAi, CONTENTS);
    let expected = json!([
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,+/8="}},
        ]},
        {"role": "assistant", "content": null, "tool_calls": [
            {"id": "call_0", "type": "function", "function": {"name": "weather", "arguments": "{\"n\": 1}"}},
            {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{\"n\": 2}"}},
        ]},
        {"role": "tool", "tool_call_id": "call_0", "content": "rain"},
        {"role": "tool", "tool_call_id": "call_1", "content": "{\"a\": 1, \"b\": [2.50]}"},
    ]);
    assert_eq!(body["messages"], expected);
    let parameters = json!({"type": "object", "properties": {"n": {"type": ["integer", "null"]}}});
    assert_eq!(body["tools"][0]["function"]["parameters"], parameters);
    assert_eq!(body["tool_choice"], json!({"type": "function", "function": {"name": "weather"}}));
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    assert_eq!(body["response_format"]["json_schema"], json!({"name": "answer", "schema": schema}));
    assert_eq!(translated.dropped, ["safetySettings", "generationConfig.mediaResolution"]);
    assert_eq!(translated.model, "here");
}

#[test]
fn contents_are_asked_of_anthropic() {
    let (body, _) = asked(Gemini, Anthropic, CONTENTS);
    assert_eq!(body["messages"][1]["content"][0]["id"], "call_0");
    assert_eq!(
        body["messages"][2]["content"][0],
        json!({"type": "tool_result", "tool_use_id": "call_0", "content": "rain"})
    );
    assert_eq!(body["output_config"]["format"]["type"], "json_schema");
    assert_eq!(body["max_tokens"], 64);
}

/// As a client of Responses sends it.
const RESPONSE: &str = r#"{
  "model": "here", "instructions": "Be brief.",
  "input": [
    {"role": "user", "content": [{"type": "input_text", "text": "What is this?"}, {"type": "input_image", "image_url": "data:image/png;base64,iVBO", "detail": "auto"}]},
    {"type": "reasoning", "id": "rs_0123abcd_0", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "anthropic#EqQB"},
    {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "weather", "arguments": "{\"city\":\"Paris\"}", "status": "completed"},
    {"type": "function_call_output", "call_id": "call_1", "output": "rain"}
  ],
  "tools": [{"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}, "strict": true}],
  "reasoning": {"effort": "high", "summary": "auto"}, "text": {"format": {"type": "json_schema", "name": "w", "schema": {"type": "object"}, "strict": true}},
  "max_output_tokens": 50000, "include": ["reasoning.encrypted_content"], "store": false, "stream": true
}"#;

#[test]
fn a_response_is_asked_of_anthropic_with_the_proof_of_what_was_thought() {
    let (body, _) = asked(Responses, Anthropic, RESPONSE);
    let thought = json!({"type": "thinking", "thinking": "hm", "signature": "EqQB"});
    assert_eq!(body["messages"][1]["content"][0], thought);
    assert_eq!(body["messages"][1]["content"][1]["type"], "tool_use");
    assert_eq!(body["thinking"], json!({"type": "enabled", "budget_tokens": 24_576}));
    assert_eq!(body["output_config"]["format"]["schema"], json!({"type": "object"}));
}

#[test]
fn a_response_is_asked_of_openai() {
    let (body, _) = asked(Responses, OpenAi, RESPONSE);
    let roles: Vec<&str> =
        body["messages"].as_array().unwrap().iter().map(|turn| turn["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "tool"]);
    assert_eq!((&body["reasoning_effort"], &body["max_tokens"]), (&json!("high"), &json!(50_000)));
    let format = json!({"name": "w", "schema": {"type": "object"}, "strict": true});
    assert_eq!(body["response_format"]["json_schema"], format);
}

#[test]
fn thinking_is_asked_for_as_each_generation_of_models_wants_it() {
    let body = r#"{"model":"here","messages":[{"role":"user","content":"Hi"}],"reasoning_effort":"medium"}"#;
    let thinking = |upstream: Protocol, model: &str| {
        let mut options = options();
        options.upstream_model = Some(model.into());
        asked_with(OpenAi, upstream, body, &options).0
    };
    let older = thinking(Anthropic, "claude-sonnet-4-20250514");
    assert_eq!(older["thinking"], json!({"type": "enabled", "budget_tokens": 8_192}));
    assert_eq!(older["max_tokens"], 4_096 + 8_192);
    for model in ["claude-opus-4-6", "anthropic.claude-sonnet-4-6-v1:0", "claude-fable-5"] {
        let newer = thinking(Anthropic, model);
        assert_eq!(
            (&newer["thinking"], &newer["output_config"]),
            (&json!({"type": "adaptive"}), &json!({"effort": "medium"}))
        );
    }
    let older = thinking(Gemini, "gemini-2.5-flash");
    assert_eq!(older["generationConfig"]["thinkingConfig"], json!({"thinkingBudget": 8_192}));
    let newer = thinking(Gemini, "gemini-3-pro-preview");
    assert_eq!(newer["generationConfig"]["thinkingConfig"], json!({"thinkingLevel": "medium"}));
}

#[test]
fn the_bound_of_tokens_goes_by_the_name_that_the_model_knows() {
    let body = r#"{"model":"here","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}"#;
    for (model, name) in [
        ("gpt-4o", "max_tokens"),
        ("gpt-5-mini", "max_completion_tokens"),
        ("openai/o3", "max_completion_tokens"),
        ("olmo", "max_tokens"),
        ("gpt-oss-120b", "max_tokens"),
    ] {
        let mut options = options();
        options.upstream_model = Some(model.into());
        assert_eq!(asked_with(Anthropic, OpenAi, body, &options).0[name], 9, "{model}");
    }
}

#[test]
fn a_model_of_gemini_that_wants_proofs_is_given_one_with_every_first_call() {
    let mut options = options();
    options.upstream_model = Some("gemini-3-flash".into());
    let (body, _) = asked_with(OpenAi, Gemini, CHAT, &options);
    let parts = &body["contents"][1]["parts"];
    assert_eq!(parts[0]["thoughtSignature"], "skip_thought_signature_validator");
    assert_eq!(parts[1]["thoughtSignature"], Value::Null);
    let kept = CHAT.replace(
        r#"{"id": "call_1", "type""#,
        r#"{"id": "call_1", "extra_content": {"google": {"thought_signature": "c2ln"}}, "type""#,
    );
    let (body, _) = asked_with(OpenAi, Gemini, &kept, &options);
    assert_eq!(body["contents"][1]["parts"][0]["thoughtSignature"], "c2ln");
}

#[test]
fn what_every_protocol_can_say_comes_back_as_it_was() {
    let chat = r#"{"model":"m","messages":[{"role":"system","content":"S"},{"role":"user","content":[{"type":"text","text":"Q"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBO"}}]},{"role":"assistant","content":"T","tool_calls":[{"id":"call_0","type":"function","function":{"name":"f","arguments":"{\"n\":1.50}"}}]},{"role":"tool","tool_call_id":"call_0","content":"R"},{"role":"user","content":"Q2"}],"temperature":0.50,"top_p":0.90,"max_tokens":77,"tools":[{"type":"function","function":{"name":"f","description":"D","parameters":{"type":"object","properties":{"n":{"type":"number","minimum":1.0}}}}}],"tool_choice":"required"}"#;
    let expected: Value = serde_json::from_str(chat).unwrap();
    for between in [Anthropic, Gemini, Responses] {
        let mut options = options();
        options.upstream_model = Some("m".into());
        let (_, there) = asked_with(OpenAi, between, chat, &options);
        let text = std::str::from_utf8(&there.body).unwrap().to_owned();
        options.model = (between == Gemini).then(|| "m".to_owned());
        let back = mainstay_gateway::translate::request(between, OpenAi, text.as_bytes(), &options).unwrap();
        let mut body: Value = serde_json::from_slice(&back.body).unwrap();
        if between == Responses {
            // Whether a schema is strict, and how closely an image is looked at, are always said there.
            assert_eq!(body["tools"][0]["function"].as_object_mut().unwrap().remove("strict"), Some(json!(false)));
            let image = &mut body["messages"][1]["content"][1]["image_url"];
            assert_eq!(image.as_object_mut().unwrap().remove("detail"), Some(json!("auto")));
        }
        assert_eq!(body, expected, "by way of {between}");
        assert!(std::str::from_utf8(&back.body).unwrap().contains(r#""temperature":0.50"#));
    }
}
