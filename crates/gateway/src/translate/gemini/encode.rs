//! The stream to a client.

use super::super::Context;
use super::super::conversation::Signature;
use super::super::reply::{Failure, Finish};
use super::super::sequence::{self, Block};
use super::super::stream::error_event;
use super::answer::{Envelope, call_part};
use crate::Protocol;
use crate::json::{self, Json, Members};
use crate::sse;
use crate::usage::Usage;
use bytes::BytesMut;

/// Writes chunks that are answers in themselves. A call is told once, when its arguments are complete.
#[derive(Debug)]
pub(crate) struct Encoder {
    context: Context,
    block: Option<Block>,
    arguments: String,
    /// The proof of a thought, until the part that follows it.
    proof: Option<String>,
}

impl Encoder {
    pub fn new(context: &Context) -> Self {
        Self { context: context.clone(), block: None, arguments: String::new(), proof: None }
    }

    fn chunk(&mut self, part: Members, out: &mut BytesMut) {
        let part = part.maybe("thoughtSignature", self.proof.take());
        let envelope = Envelope { context: &self.context, finish: None, usage: None };
        sse::write(out, None, &envelope.around(vec![part.into()]).to_text());
    }
}

impl sequence::Encoder for Encoder {
    fn start(&mut self, _out: &mut BytesMut) {}

    fn open(&mut self, block: &Block, _out: &mut BytesMut) {
        self.block = Some(block.clone());
    }

    fn piece(&mut self, text: &str, out: &mut BytesMut) {
        match &self.block {
            Some(Block::Call { .. }) => self.arguments.push_str(text),
            Some(Block::Thought) if !self.context.show_thoughts => {}
            Some(Block::Thought) => self.chunk(Members::new().with("text", text.to_owned()).with("thought", true), out),
            _ => self.chunk(Members::new().with("text", text.to_owned()), out),
        }
    }

    fn signature(&mut self, signature: &Signature, _out: &mut BytesMut) {
        self.proof = Some(signature.shown_to(Protocol::Gemini));
    }

    fn close(&mut self, out: &mut BytesMut) {
        let Some(Block::Call { id, name }) = self.block.take() else { return };
        let text = std::mem::take(&mut self.arguments);
        // Arguments that were cut off by a bound are no object; they are told as far as they came.
        let arguments =
            json::object(&text).map_or_else(|| Json::from(Members::new().with("partial", text)), Json::from);
        self.chunk(call_part(&id, &name, arguments), out);
    }

    fn end(&mut self, finish: Finish, usage: Option<Usage>, out: &mut BytesMut) {
        let envelope = Envelope { context: &self.context, finish: Some(&finish), usage };
        let part = Members::new().with("text", "").maybe("thoughtSignature", self.proof.take());
        sse::write(out, None, &envelope.around(vec![part.into()]).to_text());
    }

    fn fail(&mut self, failure: &Failure, out: &mut BytesMut) {
        error_event(Protocol::Gemini, failure, out);
    }
}
