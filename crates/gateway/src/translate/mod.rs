//! Translation between protocols: what is asked, what is answered, whole or as a stream.
//!
//! Every protocol is read into a form that belongs to none ([`conversation`], [`reply`]) and written from it. What the other
//! side lacks is refused with the name of the member, or dropped where nobody would miss it; the guide has the table.
//!
//! *Invariant:* between two sides of the same protocol nothing is translated. Bytes pass as they are; only the name of the
//! model, where it goes by another one there, and the wish for usage are put into them.

mod anthropic;
mod conversation;
mod gemini;
mod openai;
mod passing;
mod reply;
mod responses;
mod sequence;
mod stream;

pub(crate) use reply::Delta;
pub use reply::Failure;
pub(crate) use stream::Decoder;
pub use stream::Stream;

use crate::Protocol;
use crate::counting::Weight;
use crate::errors::{self, Complaint, Kind};
use crate::json::{Field, Shape, parse};
use crate::usage::Usage;
use bytes::Bytes;
use conversation::Conversation;
use mainstay_core::text::cut;
use reply::Reply;
use serde_json::value::RawValue;

/// The tokens that Anthropic is asked for at most where the client does not say: every model of theirs can give them.
pub const DEFAULT_MAX_TOKENS: u64 = 4_096;
/// Most members that are told to have been dropped.
const MAX_DROPPED: usize = 32;
/// Longest name of a member, and longest complaint about one, in bytes.
const MAX_MEMBER_BYTES: usize = 200;
const MAX_MESSAGE_BYTES: usize = 1_000;

/// What a request does not say itself.
#[derive(Debug, Clone)]
pub struct Options {
    /// What the model is called at the upstream; absent where it has the same name there.
    pub upstream_model: Option<String>,
    /// The model that the address names, as that of Gemini does.
    pub model: Option<String>,
    /// Whether the address asks for a stream.
    pub stream: bool,
    /// See [`DEFAULT_MAX_TOKENS`].
    pub default_max_tokens: u64,
    /// Whether an upstream is asked for the usage of a stream whose client did not: it is hidden from the client.
    pub meter: bool,
    /// A name for the answer that is used once; letters and digits.
    pub id: String,
    /// When it is asked, in seconds since 1970.
    pub at_seconds: u64,
}

impl Options {
    /// The options of a request whose body says everything.
    #[must_use]
    pub fn new(id: impl Into<String>, at_seconds: u64) -> Self {
        Self {
            upstream_model: None,
            model: None,
            stream: false,
            default_max_tokens: DEFAULT_MAX_TOKENS,
            meter: true,
            id: id.into(),
            at_seconds,
        }
    }
}

/// A request that an upstream understands.
#[derive(Debug, Clone)]
pub struct Translated {
    /// Its body. The model of Gemini is not in it, but belongs into the address.
    pub body: Bytes,
    /// The model that the client asks for.
    pub model: String,
    /// Whether the answer is a stream.
    pub stream: bool,
    /// Members that were left out.
    pub dropped: Vec<String>,
    /// What reading the answer needs.
    pub context: Context,
}

/// A request that cannot be passed on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// The member that is to blame; empty for the body as a whole.
    pub member: String,
    /// What is wrong with it, with its name.
    pub message: String,
}

impl From<Shape> for Refused {
    fn from(shape: Shape) -> Self {
        let message = if shape.member.is_empty() { format!("the body {}", shape.why) } else { shape.to_string() };
        // A place may hold names that the client chose, of any length.
        Self { member: cut(&shape.member, MAX_MEMBER_BYTES), message: cut(&message, MAX_MESSAGE_BYTES) }
    }
}

impl Refused {
    /// The answer to the client: its status and its body.
    #[must_use]
    pub fn answer(&self, client: Protocol) -> (u16, Bytes) {
        let member = Some(self.member.as_str()).filter(|member| !member.is_empty());
        let complaint = Complaint { status: 400, kind: Kind::Invalid, message: &self.message, member };
        (400, errors::body(client, &complaint))
    }
}

/// What is remembered of a request until it is answered.
#[derive(Debug, Clone)]
pub struct Context {
    /// What the client speaks.
    pub client: Protocol,
    /// What the upstream speaks.
    pub upstream: Protocol,
    /// The model by the name that the client knows.
    pub model: String,
    pub(crate) id: String,
    pub(crate) at_seconds: u64,
    /// Whether a stream of chat completions ends with the usage.
    pub(crate) include_usage: bool,
    /// Whether the usage that passes was not asked for by the client.
    pub(crate) hide_usage: bool,
    /// Whether the client of Anthropic or Gemini wants to see thoughts.
    pub(crate) show_thoughts: bool,
    /// Members of the request that an answer of Responses repeats.
    pub(crate) echo: Vec<(&'static str, Box<RawValue>)>,
}

/// An answer that the client understands.
#[derive(Debug, Clone)]
pub struct Answered {
    /// Its status; not always that of the upstream.
    pub status: u16,
    /// Its body.
    pub body: Bytes,
    /// What the upstream reports of its usage.
    pub usage: Option<Usage>,
}

/// What was read of a request, and what was left out of it.
#[derive(Debug)]
pub(crate) struct Asked {
    pub conversation: Conversation,
    pub dropped: Vec<String>,
    pub echo: Vec<(&'static str, Box<RawValue>)>,
}

/// Reads a request of one protocol and writes it in another.
///
/// # Errors
/// Where it cannot be understood, or the upstream's protocol lacks something that matters.
pub fn request(client: Protocol, upstream: Protocol, body: &[u8], options: &Options) -> Result<Translated, Refused> {
    if client == upstream {
        let raw = parse(body).map_err(|why| Shape::new("", why))?;
        return Ok(passing::request(client, &Field::root(raw), options)?);
    }
    let mut asked = neutral(client, body, options)?;
    let conversation = &mut asked.conversation;
    let context = Context {
        client,
        upstream,
        model: conversation.model.clone(),
        id: options.id.clone(),
        at_seconds: options.at_seconds,
        include_usage: conversation.include_usage,
        hide_usage: false,
        show_thoughts: conversation.thinking.is_some_and(|thinking| thinking.shown == Some(true)),
        echo: std::mem::take(&mut asked.echo),
    };
    if let Some(model) = &options.upstream_model {
        conversation.model.clone_from(model);
    }
    let mut writing = Writing { client, options, dropped: &mut asked.dropped };
    let written = match upstream {
        Protocol::OpenAi => openai::write_request(conversation, &mut writing)?,
        Protocol::Responses => responses::write_request(conversation, &mut writing)?,
        Protocol::Anthropic => anthropic::write_request(conversation, &mut writing)?,
        Protocol::Gemini => gemini::write_request(conversation, &mut writing)?,
    };
    asked.dropped.truncate(MAX_DROPPED);
    asked.dropped.iter_mut().for_each(|name| *name = cut(name, MAX_MEMBER_BYTES));
    let (model, stream) = (context.model.clone(), conversation.stream);
    Ok(Translated { body: written.to_text().into(), model, stream, dropped: asked.dropped, context })
}

/// Reads a request of any protocol.
pub(crate) fn neutral(client: Protocol, body: &[u8], options: &Options) -> Result<Asked, Refused> {
    let raw = parse(body).map_err(|why| Shape::new("", why))?;
    let root = Field::root(raw);
    let mut asked = match client {
        Protocol::OpenAi => openai::read_request(&root)?,
        Protocol::Responses => responses::read_request(&root)?,
        Protocol::Anthropic => anthropic::read_request(&root)?,
        Protocol::Gemini => gemini::read_request(&root)?,
    };
    if let Some(model) = &options.model {
        asked.conversation.model.clone_from(model);
        asked.conversation.stream = options.stream;
    }
    Ok(asked)
}

impl Asked {
    /// Adds what the model reads of it.
    pub fn weigh(&self, weight: &mut Weight) {
        self.conversation.weigh(weight);
    }
}

/// What writing a request needs beside the conversation.
pub(crate) struct Writing<'a> {
    pub client: Protocol,
    pub options: &'a Options,
    pub dropped: &'a mut Vec<String>,
}

impl Writing<'_> {
    /// Notes that a member is left out, where it is there.
    pub fn drop<T>(&mut self, name: &str, value: &Option<T>) {
        if value.is_some() {
            self.dropped.push(name.to_owned());
        }
    }
}

/// Reads the whole answer of an upstream and writes it as the client expects it.
#[must_use]
pub fn answer(context: &Context, status: u16, body: &Bytes) -> Answered {
    let is_success = (200..300).contains(&status);
    if context.client == context.upstream {
        let usage = if is_success { Usage::of_answer(context.upstream, body) } else { None };
        return Answered { status, body: body.clone(), usage };
    }
    if !is_success {
        let said = errors::read(status, body);
        return failed(context.client, said.kind, &said.message);
    }
    match read_reply(context.upstream, body) {
        Ok(reply) => {
            let usage = Some(reply.usage).filter(|usage| *usage != Usage::default());
            let written = match context.client {
                Protocol::OpenAi => openai::write_reply(context, reply),
                Protocol::Responses => responses::write_reply(context, reply),
                Protocol::Anthropic => anthropic::write_reply(context, reply),
                Protocol::Gemini => gemini::write_reply(context, reply),
            };
            Answered { status: 200, body: written.to_text().into(), usage }
        }
        Err(failure) => failed(context.client, failure.kind, &failure.message),
    }
}

fn failed(client: Protocol, kind: Kind, message: &str) -> Answered {
    let (status, body) = errors::of_kind(client, kind, message);
    Answered { status, body, usage: None }
}

fn read_reply(upstream: Protocol, body: &[u8]) -> Result<Reply, Failure> {
    let raw = parse(body).map_err(Failure::garbled)?;
    let root = Field::root(raw);
    let object = root.object().map_err(Failure::garbled)?;
    match upstream {
        Protocol::OpenAi => openai::read_reply(object),
        Protocol::Responses => responses::read_reply(object),
        Protocol::Anthropic => anthropic::read_reply(object),
        Protocol::Gemini => gemini::read_reply(object),
    }
}
