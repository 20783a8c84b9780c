//! Watching a stream that passes.

use super::Usage;
use crate::Protocol;
use crate::counting::Weight;
use crate::json::{Field, parse};
use crate::sse::{Event, Parser};
use crate::translate::{Decoder, Delta};
use bytes::Bytes;

/// Watches the stream of an upstream without changing it.
#[derive(Debug)]
pub struct Reader {
    parser: Parser,
    decoder: Decoder,
    tally: Tally,
    /// Whether the stream went past what is understood; what follows passes unread.
    lost: bool,
}

impl Reader {
    /// A reader for a stream of this protocol.
    #[must_use]
    pub fn new(protocol: Protocol) -> Self {
        Self { parser: Parser::default(), decoder: Decoder::new(protocol), tally: Tally::default(), lost: false }
    }

    /// Looks at bytes that pass.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.lost {
            return;
        }
        let mut events = Vec::new();
        self.lost = self.parser.push(bytes, &mut events).is_err();
        events.iter().for_each(|event| self.see(event));
    }

    /// What the upstream reported so far; nothing where it did not.
    #[must_use]
    pub const fn usage(&self) -> Option<Usage> {
        self.tally.usage
    }

    /// About how many tokens passed so far, by the rule of [`crate::counting`]: for an answer that broke off before the
    /// upstream reported.
    #[must_use]
    pub const fn estimated_output_tokens(&self) -> u64 {
        self.tally.heard.tokens()
    }

    /// Ends the stream, and tells what the upstream reported.
    #[must_use]
    pub fn finish(&mut self) -> Option<Usage> {
        if let Some(event) = self.parser.finish() {
            self.see(&event);
        }
        self.tally.usage
    }

    fn see(&mut self, event: &Event) {
        let mut deltas = Vec::new();
        // What cannot be read here is the client's to read, or to complain about.
        if self.decoder.event(event, &mut deltas).is_ok() {
            deltas.iter().for_each(|delta| self.tally.hear(delta));
        }
    }
}

/// What was reported, and what was heard.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub usage: Option<Usage>,
    pub heard: Weight,
}

impl Tally {
    pub fn hear(&mut self, delta: &Delta) {
        match delta {
            Delta::Text(text) | Delta::Refusal(text) | Delta::Thought(text) => self.heard.add(text),
            Delta::Call { name, arguments, .. } => {
                self.heard.add(name.as_deref().unwrap_or_default());
                self.heard.add(arguments);
            }
            Delta::Usage(usage) => self.usage.get_or_insert_default().merge(*usage),
            _ => {}
        }
    }
}

impl Usage {
    /// What the whole answer of an upstream reports, also one that holds embeddings.
    #[must_use]
    pub fn of_answer(protocol: Protocol, body: &Bytes) -> Option<Self> {
        let raw = parse(body).ok()?;
        let mut object = Field::root(raw).object().ok()?;
        let name = if protocol == Protocol::Gemini { "usageMetadata" } else { "usage" };
        Self::read(protocol, &object.take(name)?).ok()
    }
}
