//! The stream to a client.

use super::super::Context;
use super::super::conversation::Signature;
use super::super::reply::{Failure, Finish};
use super::super::sequence::{self, Block};
use super::super::stream::error_event;
use super::answer::finish_written;
use crate::Protocol;
use crate::json::{Json, Members};
use crate::sse;
use crate::usage::Usage;
use bytes::BytesMut;

/// Writes events: the message, each block with its beginning, pieces and end, why it is over, and the end.
#[derive(Debug)]
pub(crate) struct Encoder {
    id: String,
    model: String,
    show_thoughts: bool,
    block: Option<Block>,
    index: u64,
}

impl Encoder {
    pub fn new(context: &Context) -> Self {
        Self {
            id: format!("msg_{}", context.id),
            model: context.model.clone(),
            show_thoughts: context.show_thoughts,
            block: None,
            index: 0,
        }
    }

    /// Whether the open block is one that the client did not ask for.
    fn is_hidden(&self) -> bool {
        self.block == Some(Block::Thought) && !self.show_thoughts
    }

    fn delta(&self, delta: Members, out: &mut BytesMut) {
        write(out, "content_block_delta", |event| event.with("index", self.index).with("delta", delta));
    }
}

fn write(out: &mut BytesMut, name: &'static str, fill: impl FnOnce(Members) -> Members) {
    sse::write(out, Some(name), &fill(Members::typed(name)).to_text());
}

impl sequence::Encoder for Encoder {
    fn start(&mut self, out: &mut BytesMut) {
        let message = Members::new()
            .with("id", &self.id)
            .with("type", "message")
            .with("role", "assistant")
            .with("model", &self.model)
            .with("content", Vec::new())
            .with("stop_reason", Json::Null)
            .with("stop_sequence", Json::Null)
            // What was sent is known only at the end, which says it as well.
            .with("usage", Usage::default().written(Protocol::Anthropic));
        write(out, "message_start", |event| event.with("message", message));
        write(out, "ping", |event| event);
    }

    fn open(&mut self, block: &Block, out: &mut BytesMut) {
        self.block = Some(block.clone());
        if self.is_hidden() {
            return;
        }
        let content = match block {
            Block::Text | Block::Refusal => Members::typed("text").with("text", ""),
            Block::Thought => Members::typed("thinking").with("thinking", "").with("signature", ""),
            Block::Call { id, name } => {
                Members::typed("tool_use").with("id", id).with("name", name).with("input", Members::new())
            }
        };
        write(out, "content_block_start", |event| event.with("index", self.index).with("content_block", content));
    }

    fn piece(&mut self, text: &str, out: &mut BytesMut) {
        if self.is_hidden() {
            return;
        }
        let text = text.to_owned();
        let delta = match &self.block {
            Some(Block::Thought) => Members::typed("thinking_delta").with("thinking", text),
            Some(Block::Call { .. }) => Members::typed("input_json_delta").with("partial_json", text),
            Some(Block::Text | Block::Refusal) | None => Members::typed("text_delta").with("text", text),
        };
        self.delta(delta, out);
    }

    fn signature(&mut self, signature: &Signature, out: &mut BytesMut) {
        if !self.is_hidden() {
            let proof = signature.shown_to(Protocol::Anthropic);
            self.delta(Members::typed("signature_delta").with("signature", proof), out);
        }
    }

    fn close(&mut self, out: &mut BytesMut) {
        if !self.is_hidden() {
            write(out, "content_block_stop", |event| event.with("index", self.index));
            self.index += 1;
        }
        self.block = None;
    }

    fn end(&mut self, finish: Finish, usage: Option<Usage>, out: &mut BytesMut) {
        let (reason, sequence) = finish_written(&finish);
        let delta = Members::new().with("stop_reason", reason).with("stop_sequence", sequence);
        let usage = usage.unwrap_or_default().written(Protocol::Anthropic);
        write(out, "message_delta", |event| event.with("delta", delta).with("usage", usage));
        write(out, "message_stop", |event| event);
    }

    fn fail(&mut self, failure: &Failure, out: &mut BytesMut) {
        error_event(Protocol::Anthropic, failure, out);
    }
}
