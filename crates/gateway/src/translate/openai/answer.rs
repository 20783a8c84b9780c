//! Whole answers.

use super::super::Context;
use super::super::conversation::{Call, Signature, Thought};
use super::super::reply::{Failure, Finish, Reply, Said};
use crate::Protocol;
use crate::json::{self, Json, Members, Object, Shape};
use crate::usage::Usage;

pub(crate) fn read_reply(mut object: Object<'_>) -> Result<Reply, Failure> {
    read(&mut object).map_err(Failure::garbled)
}

fn read(object: &mut Object<'_>) -> Result<Reply, Shape> {
    let mut reply = Reply::default();
    if let Some(usage) = object.take("usage") {
        reply.usage = Usage::read(Protocol::OpenAi, &usage)?;
    }
    let choices = object.need("choices")?.list()?;
    let mut choice = choices.first().ok_or_else(|| object.wrong("choices", "is empty"))?.object()?;
    let mut message = choice.need("message")?.object()?;
    let plain = message.text("reasoning")?;
    let thought = message.text("reasoning_content")?.or(plain).filter(|text| !text.is_empty());
    reply.parts.extend(thought.map(|text| Said::Thought(Thought { text, signature: None })));
    reply.parts.extend(message.text("content")?.filter(|text| !text.is_empty()).map(Said::Text));
    let refusal = message.text("refusal")?.filter(|text| !text.is_empty());
    reply.parts.extend(refusal.map(Said::Refusal));
    reply.finish = choice.text("finish_reason")?.map_or(Finish::Stop, |name| finish_named(&name));
    for (place, field) in message.list("tool_calls")?.into_iter().enumerate() {
        let mut call = field.object()?;
        let id = call.text("id")?.filter(|id| !id.is_empty()).unwrap_or_else(|| format!("call_{place}"));
        let mut function = call.need("function")?.object()?;
        let name = function.need_text("name")?;
        let text = function.text("arguments")?.unwrap_or_default();
        match json::object(&text) {
            Some(arguments) => reply.parts.push(Said::Call(Call { id, name, arguments })),
            // The bound of tokens cut it off.
            None if reply.finish == Finish::Length => {}
            None => return Err(function.wrong("arguments", "is no JSON object")),
        }
    }
    Ok(reply)
}

pub(crate) fn finish_named(name: &str) -> Finish {
    match name {
        "length" => Finish::Length,
        "tool_calls" | "function_call" => Finish::Calls,
        "content_filter" => Finish::Filtered,
        _ => Finish::Stop,
    }
}

pub(crate) const fn finish_name(finish: &Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::Sequence(_) => "stop",
        Finish::Length => "length",
        Finish::Calls => "tool_calls",
        Finish::Filtered => "content_filter",
    }
}

/// The proof of Gemini, where its own OpenAI face keeps it; that of another upstream has no place.
pub(super) fn extra_content(signature: &Signature) -> Option<Members> {
    (signature.origin == Protocol::Gemini)
        .then(|| Members::new().with("google", Members::new().with("thought_signature", &signature.text)))
}

pub(crate) fn write_reply(context: &Context, reply: Reply) -> Members {
    let (mut text, mut thought, mut refusal) = (String::new(), String::new(), String::new());
    let (mut calls, mut extra): (Vec<Json>, Option<Members>) = (Vec::new(), None);
    for part in reply.parts {
        match part {
            Said::Text(more) => text.push_str(&more),
            Said::Refusal(more) => refusal.push_str(&more),
            Said::Thought(more) => {
                thought.push_str(&more.text);
                extra = more.signature.as_ref().and_then(extra_content);
            }
            Said::Call(call) => {
                let function =
                    Members::new().with("name", call.name).with("arguments", call.arguments.get().to_owned());
                let call = Members::new().with("id", call.id).with("type", "function").with("function", function);
                calls.push(call.maybe("extra_content", extra.take()).into());
            }
        }
    }
    let finish = finish_name(&reply.finish);
    let or_null = |text: String| if text.is_empty() { Json::Null } else { text.into() };
    let content = if text.is_empty() && calls.is_empty() && refusal.is_empty() { "".into() } else { or_null(text) };
    let message = Members::new()
        .with("role", "assistant")
        .with("content", content)
        .with("refusal", or_null(refusal))
        .maybe("reasoning_content", Some(thought).filter(|thought| !thought.is_empty()))
        .unless_empty("tool_calls", calls);
    let choice = Members::new()
        .with("index", 0_u64)
        .with("message", message)
        .with("logprobs", Json::Null)
        .with("finish_reason", finish);
    Members::new()
        .with("id", format!("chatcmpl-{}", context.id))
        .with("object", "chat.completion")
        .with("created", context.at_seconds)
        .with("model", &context.model)
        .with("choices", vec![choice.into()])
        .with("usage", reply.usage.written(Protocol::OpenAi))
}
