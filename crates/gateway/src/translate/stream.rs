//! A stream on its way from an upstream to a client.

use super::passing::WithoutUsage;
use super::reply::{Delta, Failure};
use super::sequence::{Encoder, Sequence};
use super::{Context, anthropic, gemini, openai, responses};
use crate::Protocol;
use crate::errors::{Complaint, written};
use crate::sse::{self, Event, Parser};
use crate::usage::{Reader, Tally, Usage};
use bytes::BytesMut;

/// Reads the events of an upstream.
#[derive(Debug)]
pub(crate) enum Decoder {
    OpenAi(openai::Decoder),
    Responses(responses::Decoder),
    Anthropic(anthropic::Decoder),
    Gemini(gemini::Decoder),
}

impl Decoder {
    pub fn new(protocol: Protocol) -> Self {
        match protocol {
            Protocol::OpenAi => Self::OpenAi(openai::Decoder::default()),
            Protocol::Responses => Self::Responses(responses::Decoder::default()),
            Protocol::Anthropic => Self::Anthropic(anthropic::Decoder),
            Protocol::Gemini => Self::Gemini(gemini::Decoder::default()),
        }
    }

    /// Adds what an event says.
    pub fn event(&mut self, event: &Event, deltas: &mut Vec<Delta>) -> Result<(), Failure> {
        match self {
            Self::OpenAi(decoder) => decoder.event(event, deltas),
            Self::Responses(decoder) => decoder.event(event, deltas),
            Self::Anthropic(decoder) => decoder.event(event, deltas),
            Self::Gemini(decoder) => decoder.event(event, deltas),
        }
    }
}

/// A stream, translated where the two sides speak different protocols. Takes bytes as they arrive, cut anywhere.
#[derive(Debug)]
pub struct Stream {
    client: Protocol,
    way: Way,
    failure: Option<Failure>,
    is_over: bool,
}

#[derive(Debug)]
enum Way {
    Passing(Box<Passing>),
    Translated(Box<Translation>),
}

#[derive(Debug)]
struct Passing {
    reader: Reader,
    without_usage: Option<WithoutUsage>,
}

#[derive(Debug)]
struct Translation {
    parser: Parser,
    decoder: Decoder,
    sequence: Sequence,
    tally: Tally,
}

impl Stream {
    /// A stream that answers this request.
    #[must_use]
    pub fn new(context: &Context) -> Self {
        let way = if context.client == context.upstream {
            let without_usage = context.hide_usage.then(WithoutUsage::default);
            Way::Passing(Box::new(Passing { reader: Reader::new(context.upstream), without_usage }))
        } else {
            let encoder: Box<dyn Encoder> = match context.client {
                Protocol::OpenAi => Box::new(openai::Encoder::new(context)),
                Protocol::Responses => Box::new(responses::Encoder::new(context)),
                Protocol::Anthropic => Box::new(anthropic::Encoder::new(context)),
                Protocol::Gemini => Box::new(gemini::Encoder::new(context)),
            };
            Way::Translated(Box::new(Translation {
                parser: Parser::default(),
                decoder: Decoder::new(context.upstream),
                sequence: Sequence::new(encoder),
                tally: Tally::default(),
            }))
        };
        Self { client: context.client, way, failure: None, is_over: false }
    }

    /// Takes bytes of the upstream, and adds what the client is told. What cannot be understood is told as an error of the
    /// client's protocol, after which nothing more is.
    pub fn push(&mut self, bytes: &[u8], out: &mut BytesMut) {
        if self.is_over {
            return;
        }
        let pushed = match &mut self.way {
            Way::Passing(passing) => {
                passing.push(bytes, out);
                Ok(false)
            }
            Way::Translated(translation) => translation.push(bytes, out),
        };
        self.settle(pushed, out);
    }

    /// The upstream's body is over.
    pub fn finish(&mut self, out: &mut BytesMut) {
        if self.is_over {
            return;
        }
        let finished = match &mut self.way {
            Way::Passing(passing) => {
                passing.finish(out);
                Ok(true)
            }
            Way::Translated(translation) => translation.finish(out).map(|()| true),
        };
        self.settle(finished, out);
    }

    /// The upstream's body broke off, or took too long: the client is told so in its own protocol.
    pub fn fail(&mut self, failure: Failure, out: &mut BytesMut) {
        self.settle(Err(failure), out);
    }

    /// Whether the client has been told everything, so that the upstream is needed no more.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.is_over
    }

    /// Why the stream broke off.
    #[must_use]
    pub const fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// What the upstream reported so far.
    #[must_use]
    pub const fn usage(&self) -> Option<Usage> {
        match &self.way {
            Way::Passing(passing) => passing.reader.usage(),
            Way::Translated(translation) => translation.tally.usage,
        }
    }

    /// See [`Reader::estimated_output_tokens`].
    #[must_use]
    pub const fn estimated_output_tokens(&self) -> u64 {
        match &self.way {
            Way::Passing(passing) => passing.reader.estimated_output_tokens(),
            Way::Translated(translation) => translation.tally.heard.tokens(),
        }
    }

    fn settle(&mut self, outcome: Result<bool, Failure>, out: &mut BytesMut) {
        match outcome {
            Ok(is_over) => self.is_over |= is_over,
            Err(_) if self.is_over => {}
            Err(failure) => {
                match &mut self.way {
                    Way::Passing(passing) => passing.fail(self.client, &failure, out),
                    Way::Translated(translation) => translation.sequence.fail(&failure, out),
                }
                self.failure = Some(failure);
                self.is_over = true;
            }
        }
    }
}

impl Passing {
    fn push(&mut self, bytes: &[u8], out: &mut BytesMut) {
        self.reader.push(bytes);
        match &mut self.without_usage {
            Some(without) => without.push(bytes, out),
            None => out.extend_from_slice(bytes),
        }
    }

    fn finish(&mut self, out: &mut BytesMut) {
        let _reported = self.reader.finish();
        if let Some(without) = &mut self.without_usage {
            without.finish(out);
        }
    }

    /// Behind what may be half an event, which an empty line ends.
    fn fail(&mut self, client: Protocol, failure: &Failure, out: &mut BytesMut) {
        if self.without_usage.is_none() {
            out.extend_from_slice(b"\n\n");
        }
        error_event(client, failure, out);
    }
}

impl Translation {
    fn push(&mut self, bytes: &[u8], out: &mut BytesMut) -> Result<bool, Failure> {
        let mut events = Vec::new();
        let parsed = self.parser.push(bytes, &mut events);
        for event in &events {
            self.event(event, out)?;
        }
        parsed.map_err(Failure::garbled)?;
        Ok(self.sequence.is_over())
    }

    fn finish(&mut self, out: &mut BytesMut) -> Result<(), Failure> {
        if let Some(event) = self.parser.finish() {
            self.event(&event, out)?;
        }
        self.sequence.end(out)
    }

    fn event(&mut self, event: &Event, out: &mut BytesMut) -> Result<(), Failure> {
        let mut deltas = Vec::new();
        let decoded = self.decoder.event(event, &mut deltas);
        for delta in deltas {
            self.tally.hear(&delta);
            self.sequence.take(delta, out)?;
        }
        decoded
    }
}

/// An error within a stream, for clients of protocols that have no state of it.
pub(super) fn error_event(client: Protocol, failure: &Failure, out: &mut BytesMut) {
    let complaint =
        Complaint { status: failure.kind.status(client), kind: failure.kind, message: &failure.message, member: None };
    let name = matches!(client, Protocol::Anthropic | Protocol::Responses).then_some("error");
    sse::write(out, name, &written(client, &complaint).to_text());
}
