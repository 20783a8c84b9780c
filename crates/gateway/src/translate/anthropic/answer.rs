//! Whole answers.

use super::super::Context;
use super::super::conversation::{Call, Signature, Thought};
use super::super::reply::{Failure, Finish, Reply, Said};
use crate::Protocol;
use crate::json::{Json, Members, Object, Shape};
use crate::usage::Usage;

pub(crate) fn read_reply(mut object: Object<'_>) -> Result<Reply, Failure> {
    read(&mut object).map_err(Failure::garbled)
}

fn read(object: &mut Object<'_>) -> Result<Reply, Shape> {
    let mut reply = Reply::default();
    if let Some(usage) = object.take("usage") {
        reply.usage = Usage::read(Protocol::Anthropic, &usage)?;
    }
    for field in object.need("content")?.list()? {
        let mut block = field.object()?;
        match &*block.need_text("type")? {
            "text" => reply.parts.push(Said::Text(block.need_text("text")?)),
            "thinking" => {
                let signature = block.text("signature")?.filter(|text| !text.is_empty());
                let signature = signature.map(|text| Signature { origin: Protocol::Anthropic, text });
                let text = block.text("thinking")?.unwrap_or_default();
                reply.parts.push(Said::Thought(Thought { text, signature }));
            }
            "tool_use" => reply.parts.push(Said::Call(read_call(&mut block)?)),
            // Blocks of tools that only this upstream has: none was offered to it.
            _ => {}
        }
    }
    let sequence = object.text("stop_sequence")?;
    reply.finish = object.text("stop_reason")?.map_or(Finish::Stop, |name| finish_named(&name, sequence));
    Ok(reply)
}

/// A call, which clients send back as it was answered.
pub(super) fn read_call(block: &mut Object<'_>) -> Result<Call, Shape> {
    let (id, name) = (block.need_text("id")?, block.need_text("name")?);
    let arguments = block.object_text("input")?.ok_or_else(|| block.wrong("input", "is missing"))?;
    Ok(Call { id, name, arguments })
}

pub(super) fn finish_named(name: &str, sequence: Option<String>) -> Finish {
    match name {
        "stop_sequence" => Finish::Sequence(sequence),
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "tool_use" => Finish::Calls,
        "refusal" => Finish::Filtered,
        _ => Finish::Stop,
    }
}

/// The reason, and the sequence where there is one.
pub(super) fn finish_written(finish: &Finish) -> (Json, Json) {
    let reason = match finish {
        Finish::Stop | Finish::Sequence(None) => "end_turn",
        Finish::Sequence(Some(_)) => "stop_sequence",
        Finish::Length => "max_tokens",
        Finish::Calls => "tool_use",
        Finish::Filtered => "refusal",
    };
    let sequence = if let Finish::Sequence(Some(text)) = finish { Json::from(text) } else { Json::Null };
    (reason.into(), sequence)
}

pub(crate) fn write_reply(context: &Context, reply: Reply) -> Members {
    let mut content: Vec<Json> = Vec::new();
    for part in reply.parts {
        match part {
            Said::Text(text) | Said::Refusal(text) => content.push(Members::typed("text").with("text", text).into()),
            Said::Thought(_) if !context.show_thoughts => {}
            Said::Thought(thought) => {
                let proof = thought.signature.map(|proof| proof.shown_to(Protocol::Anthropic)).unwrap_or_default();
                let block = Members::typed("thinking").with("thinking", thought.text).with("signature", proof);
                content.push(block.into());
            }
            Said::Call(call) => {
                let block = Members::typed("tool_use").with("id", call.id).with("name", call.name);
                content.push(block.with("input", call.arguments).into());
            }
        }
    }
    let (reason, sequence) = finish_written(&reply.finish);
    Members::new()
        .with("id", format!("msg_{}", context.id))
        .with("type", "message")
        .with("role", "assistant")
        .with("model", &context.model)
        .with("content", content)
        .with("stop_reason", reason)
        .with("stop_sequence", sequence)
        .with("usage", reply.usage.written(Protocol::Anthropic))
}
