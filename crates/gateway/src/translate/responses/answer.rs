//! Whole answers, and the items that streams have as well.

use super::super::Context;
use super::super::conversation::{Call, Signature, Thought};
use super::super::reply::{Failure, Finish, Reply, Said};
use crate::Protocol;
use crate::errors::Kind;
use crate::json::{self, Field, Json, Members, Object, Shape};
use crate::usage::Usage;

pub(crate) fn read_reply(mut object: Object<'_>) -> Result<Reply, Failure> {
    if let Some(failure) = failure_of(&mut object) {
        return Err(failure);
    }
    read(&mut object).map_err(Failure::garbled)
}

/// Why a response failed, where it did.
pub(super) fn failure_of(response: &mut Object<'_>) -> Option<Failure> {
    response.take("error").map(|error| Failure::said(&error))
}

fn read(object: &mut Object<'_>) -> Result<Reply, Shape> {
    let mut reply = Reply::default();
    for field in object.need("output")?.list()? {
        read_item(&field, &mut reply.parts)?;
    }
    let has_calls = reply.parts.iter().any(|part| matches!(part, Said::Call(_)));
    reply.finish = finish_of(object, has_calls)?;
    if let Some(usage) = object.take("usage") {
        reply.usage = Usage::read(Protocol::Responses, &usage)?;
    }
    Ok(reply)
}

/// Why a response is over.
pub(super) fn finish_of(response: &mut Object<'_>, has_calls: bool) -> Result<Finish, Shape> {
    let reason =
        response.object("incomplete_details")?.map(|mut details| details.text("reason")).transpose()?.flatten();
    Ok(match reason.as_deref() {
        Some("content_filter") => Finish::Filtered,
        Some(_) => Finish::Length,
        None if has_calls => Finish::Calls,
        None => Finish::Stop,
    })
}

fn read_item(field: &Field<'_>, parts: &mut Vec<Said>) -> Result<(), Shape> {
    let mut item = field.object()?;
    match &*item.need_text("type")? {
        "message" => {
            for content in item.list("content")? {
                let mut content = content.object()?;
                match &*content.need_text("type")? {
                    "output_text" => parts.push(Said::Text(content.need_text("text")?)),
                    "refusal" => parts.push(Said::Refusal(content.need_text("refusal")?)),
                    _ => {}
                }
            }
        }
        "function_call" => parts.push(Said::Call(read_call(&mut item)?)),
        "reasoning" => {
            let (text, signature) = (summary_of(&mut item)?, signature_of(&mut item)?);
            parts.push(Said::Thought(Thought { text, signature }));
        }
        // Items of tools that only this upstream has: none was offered to it.
        _ => {}
    }
    Ok(())
}

/// A call, which clients send back as it was answered.
pub(super) fn read_call(item: &mut Object<'_>) -> Result<Call, Shape> {
    let (id, name) = (item.need_text("call_id")?, item.need_text("name")?);
    let text = item.text("arguments")?.unwrap_or_default();
    let arguments = json::object(&text).ok_or_else(|| item.wrong("arguments", "is no JSON object"))?;
    Ok(Call { id, name, arguments })
}

/// The words of a thought.
pub(super) fn summary_of(item: &mut Object<'_>) -> Result<String, Shape> {
    let parts = item.list("summary")?;
    let said: Result<Vec<_>, Shape> = parts.iter().map(|part| part.object()?.need_text("text")).collect();
    Ok(said?.join("\n\n"))
}

/// The proof of a thought, with the id of its item, which this protocol wants to see with it.
pub(super) fn signature_of(item: &mut Object<'_>) -> Result<Option<Signature>, Shape> {
    let (id, encrypted) = (item.text("id")?.unwrap_or_default(), item.text("encrypted_content")?);
    let encrypted = encrypted.filter(|text| !text.is_empty());
    Ok(encrypted.map(|text| Signature { origin: Protocol::Responses, text: format!("{id}:{text}") }))
}

/// A response around its output.
pub(super) struct Envelope<'a> {
    pub context: &'a Context,
    pub status: &'static str,
    pub finish: Option<&'a Finish>,
    pub error: Option<&'a Failure>,
    pub usage: Option<Usage>,
}

impl Envelope<'_> {
    pub fn around(&self, output: Vec<Json>) -> Members {
        let incomplete = match self.finish {
            Some(Finish::Length) => Members::new().with("reason", "max_output_tokens").into(),
            Some(Finish::Filtered) => Members::new().with("reason", "content_filter").into(),
            _ => Json::Null,
        };
        let error = self.error.map_or(Json::Null, |failure| {
            Members::new().with("code", error_code(failure.kind)).with("message", &failure.message).into()
        });
        let head = Members::new()
            .with("id", format!("resp_{}", self.context.id))
            .with("object", "response")
            .with("created_at", self.context.at_seconds)
            .with("status", self.status)
            .with("background", false)
            .with("error", error)
            .with("incomplete_details", incomplete)
            .with("instructions", self.echo("instructions", Json::Null))
            .with("max_output_tokens", self.echo("max_output_tokens", Json::Null))
            .with("metadata", self.echo("metadata", Members::new().into()))
            .with("model", &self.context.model)
            .with("output", output);
        let text = Members::new().with("format", Members::typed("text"));
        let reasoning = Members::new().with("effort", Json::Null).with("summary", Json::Null);
        head.with("parallel_tool_calls", self.echo("parallel_tool_calls", true.into()))
            .with("previous_response_id", Json::Null)
            .with("reasoning", self.echo("reasoning", reasoning.into()))
            .with("store", false)
            .with("temperature", self.echo("temperature", Json::Null))
            .with("text", self.echo("text", text.into()))
            .with("tool_choice", self.echo("tool_choice", "auto".into()))
            .with("tools", self.echo("tools", Json::List(Vec::new())))
            .with("top_p", self.echo("top_p", Json::Null))
            .with("truncation", self.echo("truncation", "disabled".into()))
            .with("usage", self.usage.map_or(Json::Null, |usage| usage.written(Protocol::Responses).into()))
            .with("user", self.echo("user", Json::Null))
    }

    fn echo(&self, name: &str, otherwise: Json) -> Json {
        let said = self.context.echo.iter().find(|(known, _)| *known == name);
        said.map_or(otherwise, |(_, raw)| raw.into())
    }
}

const fn error_code(kind: Kind) -> &'static str {
    match kind {
        Kind::RateLimited => "rate_limit_exceeded",
        Kind::Invalid | Kind::TooLarge => "invalid_prompt",
        _ => "server_error",
    }
}

pub(super) const fn status_of(finish: &Finish) -> &'static str {
    match finish {
        Finish::Length | Finish::Filtered => "incomplete",
        Finish::Stop | Finish::Sequence(_) | Finish::Calls => "completed",
    }
}

pub(super) fn text_part(text: String) -> Members {
    Members::typed("output_text").with("annotations", Vec::new()).with("logprobs", Vec::new()).with("text", text)
}

pub(super) fn refusal_part(text: String) -> Members {
    Members::typed("refusal").with("refusal", text)
}

pub(super) fn message_item(id: &str, status: &'static str, content: Vec<Json>) -> Members {
    let item = Members::new().with("id", id.to_owned()).with("type", "message").with("status", status);
    item.with("role", "assistant").with("content", content)
}

pub(super) fn summary_part(text: String) -> Members {
    Members::typed("summary_text").with("text", text)
}

pub(super) fn reasoning_item(id: &str, text: &str, proof: Option<&Signature>) -> Members {
    let summary = if text.is_empty() { Vec::new() } else { vec![summary_part(text.to_owned()).into()] };
    let item = Members::new().with("id", id.to_owned()).with("type", "reasoning").with("summary", summary);
    item.maybe("encrypted_content", proof.map(|proof| proof.shown_to(Protocol::Responses)))
}

/// A call as an item: the ids of the item and of the call are different ones.
pub(super) struct CallItem<'a> {
    pub id: &'a str,
    pub status: &'static str,
    pub call_id: &'a str,
    pub name: &'a str,
    pub arguments: &'a str,
}

impl CallItem<'_> {
    pub fn written(&self) -> Members {
        Members::new()
            .with("id", self.id.to_owned())
            .with("type", "function_call")
            .with("status", self.status)
            .with("arguments", self.arguments.to_owned())
            .with("call_id", self.call_id.to_owned())
            .with("name", self.name.to_owned())
    }
}

pub(crate) fn write_reply(context: &Context, reply: Reply) -> Members {
    let status = status_of(&reply.finish);
    let mut output = Vec::new();
    for (place, part) in reply.parts.iter().enumerate() {
        let id = |prefix: &str| format!("{prefix}_{}_{place}", context.id);
        let item = match part {
            Said::Text(text) => message_item(&id("msg"), "completed", vec![text_part(text.clone()).into()]),
            Said::Refusal(text) => message_item(&id("msg"), "completed", vec![refusal_part(text.clone()).into()]),
            Said::Thought(thought) => reasoning_item(&id("rs"), &thought.text, thought.signature.as_ref()),
            Said::Call(call) => {
                let (name, arguments) = (call.name.as_str(), call.arguments.get());
                CallItem { id: &id("fc"), status: "completed", call_id: &call.id, name, arguments }.written()
            }
        };
        output.push(item.into());
    }
    let usage = Some(reply.usage);
    Envelope { context, status, finish: Some(&reply.finish), error: None, usage }.around(output)
}
