//! The stream to a client.

use super::super::Context;
use super::super::conversation::Signature;
use super::super::reply::{Failure, Finish};
use super::super::sequence::{self, Block};
use super::super::stream::error_event;
use super::answer::{extra_content, finish_name};
use crate::Protocol;
use crate::json::{Json, Members};
use crate::sse;
use crate::usage::Usage;
use bytes::BytesMut;

/// Writes chunks: the role first, then what is said, why it is over, the usage where it is asked for, and `[DONE]`.
#[derive(Debug)]
pub(crate) struct Encoder {
    id: String,
    at_seconds: u64,
    model: String,
    include_usage: bool,
    block: Option<Block>,
    calls: u64,
    /// The proof of a thought, until the call that follows it.
    extra: Option<Members>,
}

impl Encoder {
    pub fn new(context: &Context) -> Self {
        Self {
            id: format!("chatcmpl-{}", context.id),
            at_seconds: context.at_seconds,
            model: context.model.clone(),
            include_usage: context.include_usage,
            block: None,
            calls: 0,
            extra: None,
        }
    }

    fn chunk(&self, choices: Vec<Json>, usage: Option<Json>, out: &mut BytesMut) {
        let chunk = Members::new()
            .with("id", &self.id)
            .with("object", "chat.completion.chunk")
            .with("created", self.at_seconds)
            .with("model", &self.model)
            .with("choices", choices)
            .maybe("usage", usage);
        sse::write(out, None, &chunk.to_text());
    }

    fn delta(&self, delta: Members, finish: Json, out: &mut BytesMut) {
        let choice = Members::new()
            .with("index", 0_u64)
            .with("delta", delta)
            .with("logprobs", Json::Null)
            .with("finish_reason", finish);
        // Where usage is asked for, every chunk has the member.
        self.chunk(vec![choice.into()], self.include_usage.then_some(Json::Null), out);
    }

    fn say(&self, delta: Members, out: &mut BytesMut) {
        self.delta(delta, Json::Null, out);
    }

    fn call(&self, call: Members) -> Members {
        let index = self.calls.saturating_sub(1);
        let mut whole = Members::new().with("index", index);
        whole.append(call);
        Members::new().with("tool_calls", vec![whole.into()])
    }
}

impl sequence::Encoder for Encoder {
    fn start(&mut self, out: &mut BytesMut) {
        self.say(Members::new().with("role", "assistant").with("content", "").with("refusal", Json::Null), out);
    }

    fn open(&mut self, block: &Block, out: &mut BytesMut) {
        if let Block::Call { id, name } = block {
            self.calls += 1;
            let function = Members::new().with("name", name).with("arguments", "");
            let call = Members::new().with("id", id).with("type", "function").with("function", function);
            let call = call.maybe("extra_content", self.extra.take());
            self.say(self.call(call), out);
        }
        self.block = Some(block.clone());
    }

    fn piece(&mut self, text: &str, out: &mut BytesMut) {
        let text = text.to_owned();
        let delta = match &self.block {
            Some(Block::Thought) => Members::new().with("reasoning_content", text),
            Some(Block::Refusal) => Members::new().with("refusal", text),
            Some(Block::Call { .. }) => {
                self.call(Members::new().with("function", Members::new().with("arguments", text)))
            }
            Some(Block::Text) | None => Members::new().with("content", text),
        };
        self.say(delta, out);
    }

    fn signature(&mut self, signature: &Signature, _out: &mut BytesMut) {
        self.extra = extra_content(signature);
    }

    fn close(&mut self, _out: &mut BytesMut) {
        self.block = None;
    }

    fn end(&mut self, finish: Finish, usage: Option<Usage>, out: &mut BytesMut) {
        self.delta(Members::new(), finish_name(&finish).into(), out);
        if self.include_usage {
            let usage = usage.unwrap_or_default().written(Protocol::OpenAi);
            self.chunk(Vec::new(), Some(usage.into()), out);
        }
        sse::write(out, None, "[DONE]");
    }

    fn fail(&mut self, failure: &Failure, out: &mut BytesMut) {
        error_event(Protocol::OpenAi, failure, out);
    }
}
