//! Whatever arrives is translated or refused, and never does harm. The sequence of cases is always the same.

use super::{context, options, vectors};
use bytes::{Bytes, BytesMut};
use mainstay_gateway::sse::Parser;
use mainstay_gateway::translate::{self, Stream};
use mainstay_gateway::usage::Reader;
use mainstay_gateway::{Protocol, counting, errors};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;

fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// Names and words that mean something in one protocol or another.
const WORDS: [&str; 64] = [
    "model",
    "messages",
    "contents",
    "input",
    "role",
    "content",
    "parts",
    "type",
    "text",
    "user",
    "assistant",
    "system",
    "tool",
    "tools",
    "tool_calls",
    "function",
    "name",
    "arguments",
    "id",
    "tool_call_id",
    "tool_use",
    "tool_result",
    "tool_use_id",
    "image",
    "image_url",
    "url",
    "source",
    "base64",
    "data",
    "media_type",
    "functionCall",
    "args",
    "functionResponse",
    "response",
    "functionDeclarations",
    "parameters",
    "input_schema",
    "generationConfig",
    "temperature",
    "stop",
    "stream",
    "thinking",
    "signature",
    "thought",
    "thoughtSignature",
    "function_call",
    "call_id",
    "function_call_output",
    "output",
    "reasoning",
    "summary",
    "choices",
    "delta",
    "index",
    "candidates",
    "usage",
    "usageMetadata",
    "finish_reason",
    "content_block",
    "partial_json",
    "message",
    "error",
    "code",
    "items",
];

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        select(&WORDS[..]).prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(6, 60, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Into::into),
            btree_map(select(&WORDS[..]), inner, 0..8)
                .prop_map(|map| map.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Value>()),
        ]
    })
}

fn protocol() -> impl Strategy<Value = Protocol> {
    select(&Protocol::ALL[..])
}

/// Replaces something within a document by something else.
fn changed(mut document: Value, places: &[Index], with: &Value) -> Value {
    replace(&mut document, places, with);
    document
}

fn replace(at: &mut Value, places: &[Index], with: &Value) {
    let inner = places.split_first().and_then(|(place, rest)| match &mut *at {
        Value::Array(items) if !items.is_empty() => Some((place.index(items.len()), rest)),
        Value::Object(members) if !members.is_empty() => Some((place.index(members.len()), rest)),
        _ => None,
    });
    match (inner, &mut *at) {
        (Some((place, rest)), Value::Array(items)) => replace(&mut items[place], rest, with),
        (Some((place, rest)), Value::Object(members)) => {
            replace(members.values_mut().nth(place).unwrap(), rest, with);
        }
        _ => at.clone_from(with),
    }
}

/// Passes a request on in every direction, and answers it with a stream that makes no sense.
fn ask(client: Protocol, upstream: Protocol, body: &[u8]) {
    let mut options = options();
    options.model = (client == Protocol::Gemini).then(|| "here".to_owned());
    let _estimated = counting::estimate(client, body);
    match translate::request(client, upstream, body, &options) {
        Ok(translated) => assert!(serde_json::from_slice::<Value>(&translated.body).is_ok_and(|body| body.is_object())),
        Err(refused) => drop(refused.answer(client)),
    }
}

#[test]
fn any_json_is_a_request_or_is_refused() {
    let requests = (protocol(), protocol(), json());
    let told = runner(2_000).run(&requests, |(client, upstream, body)| {
        ask(client, upstream, body.to_string().as_bytes());
        Ok(())
    });
    told.unwrap();
}

#[test]
fn a_request_with_anything_replaced_is_a_request_or_is_refused() {
    let requests = (protocol(), protocol(), vec(any::<Index>(), 1..6), json());
    let told = runner(3_000).run(&requests, |(client, upstream, places, with)| {
        let request: Value = serde_json::from_str(vectors::small(client)).unwrap();
        ask(client, upstream, changed(request, &places, &with).to_string().as_bytes());
        Ok(())
    });
    told.unwrap();
}

#[test]
fn an_answer_with_anything_replaced_is_an_answer_or_an_error() {
    let answers = (protocol(), protocol(), vec(any::<Index>(), 1..8), json(), any::<u16>());
    let told = runner(3_000).run(&answers, |(client, upstream, places, with, status)| {
        let answer: Value = serde_json::from_str(vectors::answer(upstream)).unwrap();
        let body = Bytes::from(changed(answer, &places, &with).to_string());
        let _said = errors::read(status, &body);
        for status in [200, status] {
            let answered = translate::answer(&context(client, upstream), status, &body);
            assert!(client == upstream || serde_json::from_slice::<Value>(&answered.body).is_ok());
        }
        Ok(())
    });
    told.unwrap();
}

#[test]
fn a_stream_with_anything_replaced_is_told_the_same_wherever_it_is_cut() {
    let streams = (protocol(), protocol(), any::<Index>(), vec(any::<Index>(), 1..8), json(), 1..40_usize);
    let told = runner(1_500).run(&streams, |(client, upstream, event, places, with, piece)| {
        let mut events = Vec::new();
        Parser::default().push(vectors::stream(upstream).as_bytes(), &mut events).unwrap();
        let place = event.index(events.len());
        let mut text = String::new();
        for (at, event) in events.iter().enumerate() {
            let data = match serde_json::from_str::<Value>(&event.data) {
                Ok(data) if at == place => changed(data, &places, &with).to_string(),
                _ => event.data.clone(),
            };
            text.push_str(&format!("data: {data}\n\n"));
        }
        let told = |piece: usize| {
            let mut stream = Stream::new(&context(client, upstream));
            let mut out = BytesMut::new();
            text.as_bytes().chunks(piece).for_each(|bytes| stream.push(bytes, &mut out));
            stream.finish(&mut out);
            assert!(stream.is_over());
            out
        };
        assert_eq!(told(piece), told(text.len()));
        let mut reader = Reader::new(upstream);
        text.as_bytes().chunks(piece).for_each(|bytes| reader.push(bytes));
        let _usage = reader.finish();
        Ok(())
    });
    told.unwrap();
}

#[test]
fn any_bytes_are_events_or_are_refused_wherever_they_are_cut() {
    let bytes = vec(prop_oneof![select(&b"\r\n: dataevnt{}\"\xef\xbb\xbf"[..]), any::<u8>()], 0..200);
    let told = runner(3_000).run(&(bytes, 1..20_usize, 1..64_usize), |(bytes, piece, limit)| {
        let parse = |piece: usize| {
            let mut parser = Parser::new(limit);
            let mut events = Vec::new();
            let refused = bytes.chunks(piece).any(|piece| parser.push(piece, &mut events).is_err());
            events.extend(parser.finish().filter(|_| !refused));
            (events, refused)
        };
        assert_eq!(parse(piece), parse(bytes.len().max(1)));
        Ok(())
    });
    told.unwrap();
}
