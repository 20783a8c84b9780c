//! The stream to a client.

use super::super::Context;
use super::super::conversation::Signature;
use super::super::reply::{Failure, Finish};
use super::super::sequence::{self, Block};
use super::answer::{
    CallItem, Envelope, message_item, reasoning_item, refusal_part, status_of, summary_part, text_part,
};
use crate::json::{Json, Members};
use crate::sse;
use crate::usage::Usage;
use bytes::BytesMut;

/// Writes events with numbers without gaps: the response, each item with its beginning, parts, pieces and end, and the
/// response once more with everything in it.
#[derive(Debug)]
pub(crate) struct Encoder {
    context: Context,
    sequence: u64,
    block: Option<Block>,
    item: String,
    text: String,
    proof: Option<Signature>,
    output: Vec<Json>,
}

impl Encoder {
    pub fn new(context: &Context) -> Self {
        Self {
            context: context.clone(),
            sequence: 0,
            block: None,
            item: String::new(),
            text: String::new(),
            proof: None,
            output: Vec::new(),
        }
    }

    fn write(&mut self, name: &'static str, members: Members, out: &mut BytesMut) {
        let mut event = Members::typed(name).with("sequence_number", self.sequence);
        event.append(members);
        self.sequence += 1;
        sse::write(out, Some(name), &event.to_text());
    }

    /// An event about the open item.
    fn item_event(&mut self, name: &'static str, members: Members, out: &mut BytesMut) {
        let mut event = Members::new().with("item_id", &self.item).with("output_index", self.output.len() as u64);
        event.append(members);
        self.write(name, event, out);
    }

    /// An event about the part of the open item, of which there is one.
    fn part_event(&mut self, name: &'static str, members: Members, out: &mut BytesMut) {
        let place = if self.block == Some(Block::Thought) { "summary_index" } else { "content_index" };
        let mut event = Members::new().with(place, 0_u64);
        event.append(members);
        self.item_event(name, event, out);
    }

    fn item(&self, status: &'static str) -> Members {
        let text = self.text.clone();
        match &self.block {
            Some(Block::Call { id, name }) => {
                CallItem { id: &self.item, status, call_id: id, name, arguments: &text }.written()
            }
            Some(Block::Thought) => reasoning_item(&self.item, &text, self.proof.as_ref()),
            Some(Block::Refusal | Block::Text) | None => {
                let is_begun = status == "in_progress";
                let content = if is_begun { Vec::new() } else { vec![self.part().into()] };
                message_item(&self.item, status, content)
            }
        }
    }

    fn part(&self) -> Members {
        let text = self.text.clone();
        match &self.block {
            Some(Block::Thought) => summary_part(text),
            Some(Block::Refusal) => refusal_part(text),
            _ => text_part(text),
        }
    }

    fn envelope(&self, status: &'static str) -> Envelope<'_> {
        Envelope { context: &self.context, status, finish: None, error: None, usage: None }
    }
}

impl sequence::Encoder for Encoder {
    fn start(&mut self, out: &mut BytesMut) {
        for name in ["response.created", "response.in_progress"] {
            let response = self.envelope("in_progress").around(Vec::new());
            self.write(name, Members::new().with("response", response), out);
        }
    }

    fn open(&mut self, block: &Block, out: &mut BytesMut) {
        let prefix = match block {
            Block::Text | Block::Refusal => "msg",
            Block::Thought => "rs",
            Block::Call { .. } => "fc",
        };
        self.item = format!("{prefix}_{}_{}", self.context.id, self.output.len());
        self.block = Some(block.clone());
        let item = Members::new().with("output_index", self.output.len() as u64).with("item", self.item("in_progress"));
        self.write("response.output_item.added", item, out);
        let part = Members::new().with("part", self.part());
        match block {
            Block::Text | Block::Refusal => self.part_event("response.content_part.added", part, out),
            Block::Thought => self.part_event("response.reasoning_summary_part.added", part, out),
            Block::Call { .. } => {}
        }
    }

    fn piece(&mut self, text: &str, out: &mut BytesMut) {
        self.text.push_str(text);
        let delta = Members::new().with("delta", text.to_owned());
        match &self.block {
            Some(Block::Call { .. }) => self.item_event("response.function_call_arguments.delta", delta, out),
            Some(Block::Thought) => self.part_event("response.reasoning_summary_text.delta", delta, out),
            Some(Block::Refusal) => self.part_event("response.refusal.delta", delta, out),
            Some(Block::Text) | None => {
                self.part_event("response.output_text.delta", delta.with("logprobs", Vec::new()), out);
            }
        }
    }

    fn signature(&mut self, signature: &Signature, _out: &mut BytesMut) {
        self.proof = Some(signature.clone());
    }

    fn close(&mut self, out: &mut BytesMut) {
        let text = self.text.clone();
        let part = Members::new().with("part", self.part());
        match self.block.clone() {
            Some(Block::Call { name, .. }) => {
                let done = Members::new().with("name", name).with("arguments", text);
                self.item_event("response.function_call_arguments.done", done, out);
            }
            Some(Block::Thought) => {
                self.part_event("response.reasoning_summary_text.done", Members::new().with("text", text), out);
                self.part_event("response.reasoning_summary_part.done", part, out);
            }
            Some(Block::Refusal) => {
                self.part_event("response.refusal.done", Members::new().with("refusal", text), out);
                self.part_event("response.content_part.done", part, out);
            }
            Some(Block::Text) | None => {
                let done = Members::new().with("text", text).with("logprobs", Vec::new());
                self.part_event("response.output_text.done", done, out);
                self.part_event("response.content_part.done", part, out);
            }
        }
        let item = Json::from(self.item("completed"));
        let done = Members::new().with("output_index", self.output.len() as u64).with("item", item.clone());
        self.write("response.output_item.done", done, out);
        self.output.push(item);
        (self.block, self.proof) = (None, None);
        self.text.clear();
    }

    fn end(&mut self, finish: Finish, usage: Option<Usage>, out: &mut BytesMut) {
        let status = status_of(&finish);
        let name = if status == "completed" { "response.completed" } else { "response.incomplete" };
        let output = std::mem::take(&mut self.output);
        let usage = Some(usage.unwrap_or_default());
        let envelope = Envelope { finish: Some(&finish), usage, ..self.envelope(status) };
        let response = envelope.around(output);
        self.write(name, Members::new().with("response", response), out);
    }

    fn fail(&mut self, failure: &Failure, out: &mut BytesMut) {
        let output = std::mem::take(&mut self.output);
        let response = Envelope { error: Some(failure), ..self.envelope("failed") }.around(output);
        self.write("response.failed", Members::new().with("response", response), out);
    }

    fn keeps_all(&self) -> bool {
        true
    }
}
