//! Pieces of an answer, brought into the order in which every client can take them: one block after the other.

use super::conversation::Signature;
use super::reply::{Delta, Failure, Finish};
use crate::errors::Kind;
use crate::usage::Usage;
use bytes::BytesMut;
use std::collections::VecDeque;
use std::fmt;

/// Most bytes of an answer that wait for a call before them to be complete.
const MAX_WAITING_BYTES: usize = 16 * 1_024 * 1_024;
/// Most bytes of an answer whose client is told all of it once more at the end.
const MAX_KEPT_BYTES: usize = 32 * 1_024 * 1_024;

/// A part of an answer, of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Block {
    Text,
    Refusal,
    Thought,
    Call { id: String, name: String },
}

/// Writes what a client is told. Blocks do not overlap: each is opened, told in pieces, and closed.
pub(super) trait Encoder: fmt::Debug + Send {
    /// Before everything else.
    fn start(&mut self, out: &mut BytesMut);
    fn open(&mut self, block: &Block, out: &mut BytesMut);
    fn piece(&mut self, text: &str, out: &mut BytesMut);
    /// Within a thought, behind its text.
    fn signature(&mut self, signature: &Signature, out: &mut BytesMut);
    fn close(&mut self, out: &mut BytesMut);
    /// After everything else.
    fn end(&mut self, finish: Finish, usage: Option<Usage>, out: &mut BytesMut);
    /// In place of the end.
    fn fail(&mut self, failure: &Failure, out: &mut BytesMut);
    /// Whether all of the answer is kept until the end.
    fn keeps_all(&self) -> bool {
        false
    }
}

/// A block that is open, or waits for the one before it.
#[derive(Debug)]
struct Slot {
    block: Block,
    /// The number of a call.
    index: Option<u64>,
    text: String,
    signature: Option<Signature>,
    nesting: Nesting,
}

impl Slot {
    fn new(block: Block, index: Option<u64>) -> Self {
        Self { block, index, text: String::new(), signature: None, nesting: Nesting::default() }
    }

    /// Notes how deep its arguments are nested; words of other blocks are not, for nothing asks.
    fn follow(&mut self, text: &str) {
        if let Block::Call { .. } = self.block {
            self.nesting.follow(text);
        }
    }

    /// Whether nothing of it can be missing. A call whose arguments are not closed may go on behind what comes in between.
    const fn may_close(&self) -> bool {
        match self.block {
            Block::Call { .. } => self.nesting.is_closed(),
            _ => true,
        }
    }
}

/// How deep within an object the text so far ends.
#[derive(Debug, Clone, Copy, Default)]
struct Nesting {
    depth: u64,
    quoted: bool,
    escaped: bool,
    begun: bool,
}

impl Nesting {
    fn follow(&mut self, text: &str) {
        for byte in text.bytes() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.quoted => self.escaped = true,
                b'"' => self.quoted = !self.quoted,
                b'{' | b'[' if !self.quoted => (self.depth, self.begun) = (self.depth + 1, true),
                b'}' | b']' if !self.quoted => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
    }

    const fn is_closed(&self) -> bool {
        self.begun && self.depth == 0 && !self.quoted
    }
}

/// Takes pieces as they come and tells them in order.
#[derive(Debug)]
pub(super) struct Sequence {
    encoder: Box<dyn Encoder>,
    begun: bool,
    over: bool,
    open: Option<Slot>,
    waiting: VecDeque<Slot>,
    waiting_bytes: usize,
    told_bytes: usize,
    has_calls: bool,
    finish: Option<Finish>,
    usage: Option<Usage>,
}

impl Sequence {
    pub fn new(encoder: Box<dyn Encoder>) -> Self {
        Self {
            encoder,
            begun: false,
            over: false,
            open: None,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            told_bytes: 0,
            has_calls: false,
            finish: None,
            usage: None,
        }
    }

    pub const fn is_over(&self) -> bool {
        self.over
    }

    /// Tells a piece, or keeps it until its turn. What comes after the end is passed over.
    pub fn take(&mut self, delta: Delta, out: &mut BytesMut) -> Result<(), Failure> {
        if self.over {
            return Ok(());
        }
        match delta {
            Delta::Failed(failure) => return Err(failure),
            Delta::Usage(usage) => self.usage.get_or_insert_default().merge(usage),
            Delta::Finish(finish) => self.finish = Some(finish),
            Delta::End => {
                self.finish.get_or_insert_default();
                self.end(out)?;
            }
            Delta::Start => self.begin(out),
            Delta::Text(text) => self.say(Block::Text, &text, out)?,
            Delta::Refusal(text) => self.say(Block::Refusal, &text, out)?,
            Delta::Thought(text) => self.say(Block::Thought, &text, out)?,
            Delta::Signature(signature) => self.sign(signature, out),
            Delta::Call { index, id, name, arguments } => {
                self.call(index, id.zip(name), &arguments, out)?;
            }
        }
        Ok(())
    }

    /// The upstream has nothing more to say.
    pub fn end(&mut self, out: &mut BytesMut) -> Result<(), Failure> {
        if self.over {
            return Ok(());
        }
        let Some(finish) = self.finish.take() else {
            return Err(Failure { kind: Kind::Upstream, message: "the upstream broke off its answer".into() });
        };
        self.begin(out);
        self.close(out);
        while let Some(slot) = self.waiting.pop_front() {
            self.open(slot, out);
            self.close(out);
        }
        let finish = if finish == Finish::Stop && self.has_calls { Finish::Calls } else { finish };
        self.encoder.end(finish, self.usage, out);
        self.over = true;
        Ok(())
    }

    /// The answer broke off.
    pub fn fail(&mut self, failure: &Failure, out: &mut BytesMut) {
        if !std::mem::replace(&mut self.over, true) {
            self.encoder.fail(failure, out);
        }
    }

    fn begin(&mut self, out: &mut BytesMut) {
        if !std::mem::replace(&mut self.begun, true) {
            self.encoder.start(out);
        }
    }

    fn say(&mut self, block: Block, text: &str, out: &mut BytesMut) -> Result<(), Failure> {
        if text.is_empty() {
            return Ok(());
        }
        self.begin(out);
        let continues = |slot: &Slot| slot.block == block && slot.signature.is_none();
        if self.waiting.is_empty() && self.open.as_ref().is_some_and(continues) {
            return self.tell(text, out);
        }
        if !self.waiting.back().is_some_and(continues) {
            self.waiting.push_back(Slot::new(block, None));
        }
        self.hold(self.waiting.len() - 1, text)?;
        self.advance(out);
        Ok(())
    }

    /// A proof belongs to the thought before it; where there is none, to one without words.
    fn sign(&mut self, signature: Signature, out: &mut BytesMut) {
        self.begin(out);
        let is_thought = |slot: &Slot| slot.block == Block::Thought && slot.signature.is_none();
        if self.waiting.is_empty() && self.open.as_ref().is_some_and(is_thought) {
            self.encoder.signature(&signature, out);
            if let Some(slot) = &mut self.open {
                slot.signature = Some(signature);
            }
            return;
        }
        if !self.waiting.back().is_some_and(is_thought) {
            self.waiting.push_back(Slot::new(Block::Thought, None));
        }
        if let Some(slot) = self.waiting.back_mut() {
            slot.signature = Some(signature);
        }
        self.advance(out);
    }

    fn call(
        &mut self,
        index: u64,
        begins: Option<(String, String)>,
        arguments: &str,
        out: &mut BytesMut,
    ) -> Result<(), Failure> {
        self.begin(out);
        if self.open.as_ref().is_some_and(|slot| slot.index == Some(index)) {
            self.tell(arguments, out)?;
            self.advance(out);
            return Ok(());
        }
        let place = self.waiting.iter().position(|slot| slot.index == Some(index));
        let place = match (place, begins) {
            (Some(place), _) => place,
            (None, Some((id, name))) => {
                self.has_calls = true;
                self.waiting.push_back(Slot::new(Block::Call { id, name }, Some(index)));
                self.waiting.len() - 1
            }
            (None, None) if arguments.trim().is_empty() => return Ok(()),
            (None, None) => return Err(Failure::garbled("a call of a tool goes on that has not begun")),
        };
        self.hold(place, arguments)?;
        self.advance(out);
        Ok(())
    }

    /// Keeps a piece with the block that it belongs to.
    fn hold(&mut self, place: usize, text: &str) -> Result<(), Failure> {
        self.waiting_bytes += text.len();
        if self.waiting_bytes > MAX_WAITING_BYTES {
            return Err(Failure::garbled("too much of it waits for a call that does not end"));
        }
        if let Some(slot) = self.waiting.get_mut(place) {
            slot.text.push_str(text);
        }
        Ok(())
    }

    /// Opens what waits, as far as what is open is complete.
    fn advance(&mut self, out: &mut BytesMut) {
        while !self.waiting.is_empty() && self.open.as_ref().is_none_or(Slot::may_close) {
            self.close(out);
            if let Some(slot) = self.waiting.pop_front() {
                self.waiting_bytes = self.waiting_bytes.saturating_sub(slot.text.len());
                self.open(slot, out);
            }
        }
    }

    fn open(&mut self, mut slot: Slot, out: &mut BytesMut) {
        self.encoder.open(&slot.block, out);
        let text = std::mem::take(&mut slot.text);
        slot.follow(&text);
        self.told_bytes += text.len();
        if !text.is_empty() {
            self.encoder.piece(&text, out);
        }
        if let Some(signature) = &slot.signature {
            self.encoder.signature(signature, out);
        }
        self.open = Some(slot);
    }

    /// Tells more of what is open.
    fn tell(&mut self, text: &str, out: &mut BytesMut) -> Result<(), Failure> {
        let Some(slot) = self.open.as_mut().filter(|_| !text.is_empty()) else { return Ok(()) };
        slot.follow(text);
        self.told_bytes += text.len();
        if self.encoder.keeps_all() && self.told_bytes > MAX_KEPT_BYTES {
            return Err(Failure::garbled(format!("it is longer than {MAX_KEPT_BYTES} bytes")));
        }
        self.encoder.piece(text, out);
        Ok(())
    }

    fn close(&mut self, out: &mut BytesMut) {
        if self.open.take().is_some() {
            self.encoder.close(out);
        }
    }
}
