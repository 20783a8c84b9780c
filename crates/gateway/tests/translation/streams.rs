//! Streams.

use super::answers::USAGE;
use super::{context, vectors};
use bytes::BytesMut;
use mainstay_gateway::Protocol::{self, Anthropic, Gemini, OpenAi, Responses};
use mainstay_gateway::errors::Kind;
use mainstay_gateway::sse::{Event, Parser};
use mainstay_gateway::translate::{Failure, Stream};
use mainstay_gateway::usage::Reader;
use serde_json::{Value, json};

/// What a client is told of a stream that arrives in pieces of this size.
fn told(client: Protocol, upstream: Protocol, text: &str, piece: usize) -> (String, Stream) {
    let mut stream = Stream::new(&context(client, upstream));
    let mut out = BytesMut::new();
    text.as_bytes().chunks(piece).for_each(|bytes| stream.push(bytes, &mut out));
    stream.finish(&mut out);
    (String::from_utf8(out.to_vec()).unwrap(), stream)
}

fn events(text: &str) -> Vec<Event> {
    let mut events = Vec::new();
    Parser::default().push(text.as_bytes(), &mut events).unwrap();
    events
}

fn data(events: &[Event]) -> Vec<Value> {
    events
        .iter()
        .filter(|event| event.data != "[DONE]")
        .map(|event| serde_json::from_str(&event.data).unwrap())
        .collect()
}

#[test]
fn a_stream_is_told_the_same_wherever_it_is_cut() {
    for upstream in Protocol::ALL {
        let text = vectors::stream(upstream);
        for client in Protocol::ALL {
            let (whole, stream) = told(client, upstream, text, text.len());
            assert_eq!((stream.usage(), stream.failure()), (Some(USAGE), None), "{upstream} to {client}: {whole}");
            assert!(stream.estimated_output_tokens() > 10);
            for piece in [1, 2, 3, 5, 7, 64, 1_000] {
                assert_eq!(told(client, upstream, text, piece).0, whole, "{upstream} to {client}, pieces of {piece}");
            }
        }
    }
}

#[test]
fn a_stream_cut_in_two_at_any_byte_is_told_the_same() {
    for upstream in Protocol::ALL {
        let text = vectors::stream(upstream).as_bytes();
        let client = if upstream == Anthropic { OpenAi } else { Anthropic };
        let (whole, _) = told(client, upstream, vectors::stream(upstream), text.len());
        for cut in 0..text.len() {
            let mut stream = Stream::new(&context(client, upstream));
            let mut out = BytesMut::new();
            stream.push(&text[..cut], &mut out);
            stream.push(&text[cut..], &mut out);
            stream.finish(&mut out);
            assert_eq!(out, whole, "{upstream} to {client}, cut at {cut}");
        }
    }
}

#[test]
fn between_two_sides_of_one_protocol_a_stream_passes_as_it_is() {
    for protocol in Protocol::ALL {
        let text = vectors::stream(protocol);
        assert_eq!(told(protocol, protocol, text, 10).0, text);
        let mut reader = Reader::new(protocol);
        text.as_bytes().chunks(9).for_each(|bytes| reader.push(bytes));
        assert_eq!(reader.finish(), Some(USAGE), "{protocol}");
    }
}

#[test]
fn chunks_begin_with_the_role_and_end_with_reason_usage_and_done() {
    for upstream in [Responses, Anthropic, Gemini] {
        let (text, _) = told(OpenAi, upstream, vectors::stream(upstream), 100);
        let events = events(&text);
        assert!(events.iter().all(|event| event.name.is_none()));
        assert_eq!(events.last().unwrap().data, "[DONE]");
        let chunks = data(&events);
        assert_eq!(chunks[0]["choices"][0]["delta"], json!({"role": "assistant", "content": "", "refusal": null}));
        assert!(
            chunks.iter().all(|chunk| chunk["id"] == "chatcmpl-0123abcd" && chunk["object"] == "chat.completion.chunk")
        );
        let (mut content, mut thought) = (String::new(), String::new());
        let mut calls = vec![(String::new(), String::new()); 2];
        for chunk in &chunks[1..chunks.len() - 2] {
            assert_eq!((&chunk["usage"], &chunk["choices"][0]["finish_reason"]), (&Value::Null, &Value::Null));
            let delta = &chunk["choices"][0]["delta"];
            content.push_str(delta["content"].as_str().unwrap_or_default());
            thought.push_str(delta["reasoning_content"].as_str().unwrap_or_default());
            for call in delta["tool_calls"].as_array().into_iter().flatten() {
                let (name, arguments) = &mut calls[usize::try_from(call["index"].as_u64().unwrap()).unwrap()];
                name.push_str(call["function"]["name"].as_str().unwrap_or_default());
                arguments.push_str(call["function"]["arguments"].as_str().unwrap());
                assert_eq!(call["id"].is_string(), call["function"]["name"].is_string());
            }
        }
        assert_eq!((&*content, &*thought), ("Grüße, 日本 😀", "Let me see."));
        let arguments = r#"{"city":"Paris","n":12345678901234567890}"#;
        assert_eq!(calls, [("weather".into(), arguments.into()), ("time".into(), String::from("{}"))]);
        assert_eq!(chunks[chunks.len() - 2]["choices"][0]["finish_reason"], "tool_calls");
        let last = &chunks[chunks.len() - 1];
        assert_eq!((&last["choices"], &last["usage"]["total_tokens"]), (&json!([]), &json!(50)));
    }
}

#[test]
fn events_of_a_message_open_and_close_each_block_in_turn() {
    for upstream in [OpenAi, Responses, Gemini] {
        let (text, _) = told(Anthropic, upstream, vectors::stream(upstream), 100);
        let events = events(&text);
        let names: Vec<&str> = events.iter().map(|event| event.name.as_deref().unwrap()).collect();
        let data = data(&events);
        assert!(data.iter().zip(&names).all(|(data, name)| data["type"] == *name));
        assert_eq!(names[..3], ["message_start", "ping", "content_block_start"]);
        assert_eq!(names[names.len() - 3..], ["content_block_stop", "message_delta", "message_stop"]);
        let mut open = None;
        let mut blocks: Vec<(String, String)> = Vec::new();
        for event in &data {
            let index = event["index"].as_u64();
            match event["type"].as_str().unwrap() {
                "content_block_start" => {
                    assert_eq!((open, index), (None, Some(blocks.len() as u64)));
                    open = index;
                    blocks.push((event["content_block"]["type"].as_str().unwrap().into(), String::new()));
                }
                "content_block_delta" => {
                    assert_eq!(open, index);
                    let delta = &event["delta"];
                    let piece = ["text", "thinking", "partial_json"].iter().find_map(|name| delta[name].as_str());
                    blocks.last_mut().unwrap().1.push_str(piece.unwrap_or_default());
                }
                "content_block_stop" => {
                    assert_eq!(open, index);
                    open = None;
                }
                _ => {}
            }
        }
        let mut expected = vec![
            ("thinking", "Let me see."),
            ("text", "Grüße, 日本 😀"),
            ("tool_use", r#"{"city":"Paris","n":12345678901234567890}"#),
            ("tool_use", "{}"),
        ];
        if upstream == Gemini {
            // The proof of the call has a block of its own, without words.
            expected.insert(2, ("thinking", ""));
        }
        let blocks: Vec<(&str, &str)> = blocks.iter().map(|(kind, text)| (kind.as_str(), text.as_str())).collect();
        assert_eq!(blocks, expected, "{upstream}");
        let end = &data[data.len() - 2];
        assert_eq!(end["delta"], json!({"stop_reason": "tool_use", "stop_sequence": null}));
        assert_eq!((&end["usage"]["input_tokens"], &end["usage"]["output_tokens"]), (&json!(15), &json!(30)));
    }
}

#[test]
fn events_of_a_response_are_numbered_and_the_last_one_holds_everything() {
    for upstream in [OpenAi, Anthropic, Gemini] {
        let (text, _) = told(Responses, upstream, vectors::stream(upstream), 100);
        let events = events(&text);
        let data = data(&events);
        for (number, (event, data)) in events.iter().zip(&data).enumerate() {
            assert_eq!((&data["sequence_number"], event.name.as_deref()), (&json!(number), data["type"].as_str()));
        }
        let names: Vec<&str> = events.iter().map(|event| event.name.as_deref().unwrap()).collect();
        assert_eq!(names[..3], ["response.created", "response.in_progress", "response.output_item.added"]);
        let response = &data.last().unwrap()["response"];
        assert_eq!((names.last(), &response["status"]), (Some(&"response.completed"), &json!("completed")));
        let done: Vec<&Value> = data
            .iter()
            .filter(|event| event["type"] == "response.output_item.done")
            .map(|event| &event["item"])
            .collect();
        assert_eq!(done, response["output"].as_array().unwrap().iter().collect::<Vec<_>>());
        let message = done.iter().find(|item| item["type"] == "message").unwrap();
        assert_eq!(message["content"][0]["text"], "Grüße, 日本 😀");
        assert_eq!(response["usage"]["output_tokens"], 30);
    }
}

#[test]
fn chunks_of_gemini_hold_whole_calls_and_end_with_reason_and_usage() {
    for upstream in [OpenAi, Responses, Anthropic] {
        let (text, _) = told(Gemini, upstream, vectors::stream(upstream), 100);
        let chunks = data(&events(&text));
        let parts: Vec<&Value> =
            chunks.iter().flat_map(|chunk| chunk["candidates"][0]["content"]["parts"].as_array().unwrap()).collect();
        let thought: String =
            parts.iter().filter(|part| part["thought"] == true).map(|part| part["text"].as_str().unwrap()).collect();
        assert_eq!(thought, "Let me see.");
        let calls: Vec<&Value> =
            parts.iter().map(|part| &part["functionCall"]).filter(|call| call.is_object()).collect();
        assert_eq!(calls.len(), 2);
        assert_eq!((&calls[0]["name"], &calls[0]["args"]["city"]), (&json!("weather"), &json!("Paris")));
        assert!(text.contains(r#""n":12345678901234567890}"#));
        let last = chunks.last().unwrap();
        assert_eq!(last["candidates"][0]["finishReason"], "STOP");
        assert_eq!(last["usageMetadata"]["totalTokenCount"], 50);
        assert!(chunks[..chunks.len() - 1].iter().all(|chunk| chunk["candidates"][0]["finishReason"].is_null()));
    }
}

#[test]
fn calls_that_are_told_at_once_are_told_one_after_the_other() {
    let chunk = |delta: &str| format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{delta}}}]}}\n\n");
    let call = |index: u64, head: &str, arguments: &str| {
        chunk(&format!("{{\"tool_calls\":[{{\"index\":{index}{head},\"function\":{arguments}}}]}}"))
    };
    let text = [
        call(0, ",\"id\":\"a\"", r#"{"name":"one","arguments":"{\"x\":"}"#),
        call(1, ",\"id\":\"b\"", r#"{"name":"two","arguments":"{\"y\":"}"#),
        call(0, "", r#"{"arguments":"[1,"}"#),
        call(1, "", r#"{"arguments":"\"}\"}"}"#),
        chunk(r#"{"content":"after"}"#),
        call(0, "", r#"{"arguments":"2]}"}"#),
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n".into(),
    ]
    .concat();
    let (told, _) = told(Anthropic, OpenAi, &text, 1_000);
    let order: Vec<String> = data(&events(&told))
        .iter()
        .filter_map(|event| match event["type"].as_str().unwrap() {
            "content_block_start" => Some(format!("{}:{}", event["index"], event["content_block"]["type"].as_str()?)),
            "content_block_delta" => {
                let delta = &event["delta"];
                Some(delta["partial_json"].as_str().or(delta["text"].as_str())?.to_owned())
            }
            _ => None,
        })
        .collect();
    let expected = ["0:tool_use", "{\"x\":", "[1,", "2]}", "1:tool_use", "{\"y\":\"}\"}", "2:text", "after"];
    assert_eq!(order, expected);
}

#[test]
fn calls_without_numbers_or_with_the_same_one_are_told_apart() {
    for number in ["", "\"index\":0,"] {
        let call = |id: &str| {
            format!(
                "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"tool_calls\":[{{{number}\"id\":\"{id}\",\"type\":\"function\",\"function\":{{\"name\":\"f\",\"arguments\":\"{{}}\"}}}}]}}}}]}}\n\n"
            )
        };
        let text = format!(
            "{}{}data: {{\"choices\":[{{\"index\":0,\"delta\":{{}},\"finish_reason\":\"stop\"}}]}}\n\ndata: [DONE]\n\n",
            call("a"),
            call("b")
        );
        let (told, _) = told(Anthropic, OpenAi, &text, 1_000);
        let data = data(&events(&told));
        let ids: Vec<&Value> =
            data.iter().map(|event| &event["content_block"]["id"]).filter(|id| id.is_string()).collect();
        assert_eq!(ids, ["a", "b"]);
        assert_eq!(data[data.len() - 2]["delta"]["stop_reason"], "tool_use");
    }
}

#[test]
fn a_stream_that_breaks_off_ends_with_an_error_of_the_client() {
    for upstream in Protocol::ALL {
        let text = vectors::stream(upstream);
        let part = &text[..text.find("Gr").unwrap()];
        for client in Protocol::ALL.into_iter().filter(|client| *client != upstream) {
            let (told, stream) = told(client, upstream, part, 50);
            assert_eq!(stream.failure().unwrap().kind, Kind::Upstream);
            let events = events(&told);
            let last = events.last().unwrap();
            let body: Value = serde_json::from_str(&last.data).unwrap();
            let name = last.name.as_deref();
            match client {
                OpenAi => assert!(name.is_none() && body["error"]["message"].is_string()),
                Anthropic => assert_eq!((name, &body["error"]["type"]), (Some("error"), &json!("api_error"))),
                Gemini => assert_eq!(body["error"]["status"], "UNAVAILABLE"),
                Responses => {
                    assert_eq!((name, &body["response"]["status"]), (Some("response.failed"), &json!("failed")))
                }
            }
        }
    }
}

#[test]
fn an_error_within_a_stream_is_told_with_its_kind_and_nothing_follows_it() {
    let text = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
    let (told, stream) = told(OpenAi, Anthropic, &format!("{text}{}", vectors::stream(Anthropic)), 40);
    let expected = Failure { kind: Kind::Overloaded, message: "Overloaded".into() };
    assert_eq!((stream.failure(), stream.is_over()), (Some(&expected), true));
    assert_eq!(events(&told).len(), 1);
}

#[test]
fn a_cut_connection_is_told_to_the_client_of_a_stream_that_passes() {
    let mut stream = Stream::new(&context(Anthropic, Anthropic));
    let mut out = BytesMut::new();
    stream.push(b"event: message_start\ndata: {\"type\":\"message_start\"}\n\nevent: ping", &mut out);
    stream.fail(Failure { kind: Kind::Timeout, message: "too slow".into() }, &mut out);
    let events = events(std::str::from_utf8(&out).unwrap());
    assert_eq!(events.last().unwrap().name.as_deref(), Some("error"));
    assert!(events.last().unwrap().data.contains("too slow"));
}
