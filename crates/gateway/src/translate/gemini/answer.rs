//! Whole answers, and the parts of them that streams have as well.

use super::super::Context;
use super::super::conversation::{Call, Signature, Thought};
use super::super::reply::{Delta, Failure, Finish, Reply, Said};
use crate::Protocol;
use crate::errors::Kind;
use crate::json::{self, Field, Json, Members, Object, Shape};
use crate::usage::Usage;

pub(crate) fn read_reply(mut object: Object<'_>) -> Result<Reply, Failure> {
    let mut deltas = Vec::new();
    let mut calls = 0;
    read_chunk(&mut object, &mut calls, &mut deltas).map_err(Failure::garbled)?;
    let mut reply = Reply::default();
    for delta in deltas {
        match delta {
            Delta::Text(text) => reply.parts.push(Said::Text(text)),
            Delta::Refusal(text) => reply.parts.push(Said::Refusal(text)),
            Delta::Thought(text) => reply.parts.push(Said::Thought(Thought { text, signature: None })),
            Delta::Signature(proof) => sign(&mut reply.parts, proof),
            Delta::Call { id, name, arguments, .. } => {
                let arguments = json::object(&arguments).ok_or_else(|| Failure::garbled("a call has no arguments"))?;
                let (id, name) = (id.unwrap_or_default(), name.unwrap_or_default());
                reply.parts.push(Said::Call(Call { id, name, arguments }));
            }
            Delta::Finish(finish) => reply.finish = finish,
            Delta::Usage(usage) => reply.usage = usage,
            Delta::Failed(failure) => return Err(failure),
            Delta::Start | Delta::End => {}
        }
    }
    let has_calls = reply.parts.iter().any(|part| matches!(part, Said::Call(_)));
    if has_calls && reply.finish == Finish::Stop {
        reply.finish = Finish::Calls;
    }
    Ok(reply)
}

/// A proof belongs to the thought before it; where there is none, to one without words.
fn sign(parts: &mut Vec<Said>, proof: Signature) {
    match parts.last_mut() {
        Some(Said::Thought(thought)) if thought.signature.is_none() => thought.signature = Some(proof),
        _ => parts.push(Said::Thought(Thought { text: String::new(), signature: Some(proof) })),
    }
}

/// Reads an answer, or a piece of one: they have the same shape.
pub(super) fn read_chunk(object: &mut Object<'_>, calls: &mut u64, deltas: &mut Vec<Delta>) -> Result<(), Shape> {
    for field in object.list("candidates")?.into_iter().take(1) {
        let mut candidate = field.object()?;
        if let Some(mut content) = candidate.object("content")? {
            for part in content.list("parts")? {
                read_part(&part, calls, deltas)?;
            }
        }
        if let Some(name) = candidate.text("finishReason")? {
            let message = candidate.text("finishMessage")?;
            deltas.push(finish_named(&name, message));
        }
    }
    if let Some(mut feedback) = object.object("promptFeedback")?
        && let Some(reason) = feedback.text("blockReason")?
    {
        let message = feedback.text("blockReasonMessage")?;
        deltas.push(Delta::Refusal(message.unwrap_or_else(|| format!("The request was blocked: {reason}."))));
        deltas.push(Delta::Finish(Finish::Filtered));
    }
    if let Some(usage) = object.take("usageMetadata") {
        deltas.push(Delta::Usage(Usage::read(Protocol::Gemini, &usage)?));
    }
    Ok(())
}

fn read_part(field: &Field<'_>, calls: &mut u64, deltas: &mut Vec<Delta>) -> Result<(), Shape> {
    let mut part = field.object()?;
    let is_thought = part.flag("thought")?.unwrap_or(false);
    let text = part.text("text")?.filter(|text| !text.is_empty());
    let proof = part.text("thoughtSignature")?.filter(|proof| !proof.is_empty());
    let proof = proof.map(|text| Delta::Signature(Signature { origin: Protocol::Gemini, text }));
    if is_thought {
        deltas.extend(text.map(Delta::Thought));
        deltas.extend(proof);
        return Ok(());
    }
    deltas.extend(proof);
    deltas.extend(text.map(Delta::Text));
    if let Some(mut call) = part.object("functionCall")? {
        let index = *calls;
        *calls += 1;
        let name = call.need_text("name")?;
        let id = call.text("id")?.filter(|id| !id.is_empty()).unwrap_or_else(|| format!("call_{index}"));
        let arguments = call.object_text("args")?.map_or_else(|| "{}".to_owned(), |args| args.get().to_owned());
        deltas.push(Delta::Call { index, id: Some(id), name: Some(name), arguments });
    }
    Ok(())
}

fn finish_named(name: &str, message: Option<String>) -> Delta {
    match name {
        "MAX_TOKENS" => Delta::Finish(Finish::Length),
        "SAFETY"
        | "RECITATION"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "LANGUAGE"
        | "MODEL_ARMOR"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => Delta::Finish(Finish::Filtered),
        "MALFORMED_FUNCTION_CALL"
        | "UNEXPECTED_TOOL_CALL"
        | "MALFORMED_RESPONSE"
        | "TOO_MANY_TOOL_CALLS"
        | "MISSING_THOUGHT_SIGNATURE" => {
            let message = message.unwrap_or_else(|| format!("the model's answer is of no use: {name}"));
            Delta::Failed(Failure { kind: Kind::Upstream, message })
        }
        _ => Delta::Finish(Finish::Stop),
    }
}

pub(super) const fn finish_name(finish: &Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::Sequence(_) | Finish::Calls => "STOP",
        Finish::Length => "MAX_TOKENS",
        Finish::Filtered => "SAFETY",
    }
}

/// A part with a call.
pub(super) fn call_part(id: &str, name: &str, arguments: Json) -> Members {
    let call = Members::new().with("id", id.to_owned()).with("name", name.to_owned()).with("args", arguments);
    Members::new().with("functionCall", call)
}

/// An answer around its parts.
pub(super) struct Envelope<'a> {
    pub context: &'a Context,
    pub finish: Option<&'a Finish>,
    pub usage: Option<Usage>,
}

impl Envelope<'_> {
    pub fn around(&self, parts: Vec<Json>) -> Members {
        let content = Members::new().with("parts", parts).with("role", "model");
        let candidate = Members::new()
            .with("content", content)
            .maybe("finishReason", self.finish.map(finish_name))
            .with("index", 0_u64);
        Members::new()
            .with("candidates", vec![candidate.into()])
            .maybe("usageMetadata", self.usage.map(|usage| usage.written(Protocol::Gemini)))
            .with("modelVersion", &self.context.model)
            .with("responseId", &self.context.id)
    }
}

pub(crate) fn write_reply(context: &Context, reply: Reply) -> Members {
    let mut parts: Vec<Json> = Vec::new();
    let mut proof = None;
    for part in reply.parts {
        let members = match part {
            Said::Text(text) | Said::Refusal(text) => Members::new().with("text", text),
            Said::Call(call) => call_part(&call.id, &call.name, call.arguments.into()),
            Said::Thought(thought) => {
                proof = thought.signature.map(|proof| proof.shown_to(Protocol::Gemini));
                if thought.text.is_empty() || !context.show_thoughts {
                    continue;
                }
                Members::new().with("text", thought.text).with("thought", true)
            }
        };
        parts.push(members.maybe("thoughtSignature", proof.take()).into());
    }
    Envelope { context, finish: Some(&reply.finish), usage: Some(reply.usage) }.around(parts)
}
