//! What is asked, as no protocol in particular says it.

use crate::Protocol;
use crate::counting::Weight;
use crate::json::Shape;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

/// A request to a model.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conversation {
    pub model: String,
    /// What the operator of the client says, above everybody else.
    pub system: Vec<String>,
    /// Turns of the two sides, each other than the one before.
    pub turns: Vec<Turn>,
    pub tools: Vec<Tool>,
    pub choice: Option<Choice>,
    /// Whether several tools may be called at once.
    pub parallel_calls: Option<bool>,
    pub sampling: Sampling,
    pub max_tokens: Option<u64>,
    pub stop: Vec<String>,
    pub format: Format,
    pub thinking: Option<Thinking>,
    pub stream: bool,
    /// Whether a stream of chat completions ends with the usage.
    pub include_usage: bool,
    /// Who the client's own user is.
    pub user: Option<String>,
}

/// Numbers that are passed on as they are written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sampling {
    pub temperature: Option<Box<RawValue>>,
    pub top_p: Option<Box<RawValue>>,
    pub top_k: Option<Box<RawValue>>,
    pub presence_penalty: Option<Box<RawValue>>,
    pub frequency_penalty: Option<Box<RawValue>>,
    pub seed: Option<Box<RawValue>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    User,
    Assistant,
}

#[derive(Debug, Clone)]
pub(crate) struct Turn {
    pub role: Role,
    pub parts: Vec<Part>,
}

#[derive(Debug, Clone)]
pub(crate) enum Part {
    Text(String),
    Media(Media),
    /// A tool that the model calls.
    Call(Call),
    /// What a tool answered.
    Outcome(Outcome),
    /// What the model thought before it said what follows.
    Thought(Thought),
}

/// An image, a document or a sound.
#[derive(Debug, Clone)]
pub(crate) struct Media {
    pub kind: MediaKind,
    /// Such as `image/png`; absent where only an address is known.
    pub media_type: Option<String>,
    pub source: Source,
    /// How closely it is looked at, of OpenAI.
    pub detail: Option<String>,
    /// The name of the file.
    pub name: Option<String>,
    /// Where the client put it.
    pub at: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MediaKind {
    Image,
    Document,
    Sound,
}

#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// Base64.
    Inline(String),
    Url(String),
}

#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub id: String,
    pub name: String,
    /// A JSON object.
    pub arguments: Box<RawValue>,
}

#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    /// The call that it answers.
    pub call: String,
    /// The name of the tool, where the client says it.
    pub name: Option<String>,
    /// Texts and media.
    pub parts: Vec<Part>,
    pub failed: bool,
    /// Where the client put it.
    pub at: String,
}

impl Outcome {
    /// All that is text in it.
    pub fn text(&self) -> String {
        texts(&self.parts).join("\n")
    }
}

/// The texts among parts.
pub(crate) fn texts(parts: &[Part]) -> Vec<&str> {
    parts.iter().filter_map(|part| if let Part::Text(text) = part { Some(text.as_str()) } else { None }).collect()
}

/// What a model thought, and the proof of it that it wants to see again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Thought {
    pub text: String,
    pub signature: Option<Signature>,
}

/// A proof that only the kind of upstream that made it understands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature {
    pub origin: Protocol,
    pub text: String,
}

impl Signature {
    /// Stands between the origin and the proof where a client of another protocol keeps it.
    const MARK: char = '#';

    /// How it is shown to a client. Clients of Gemini read Base64, whatever it holds.
    pub fn shown_to(&self, client: Protocol) -> String {
        if self.origin == client {
            return self.text.clone();
        }
        let marked = format!("{}{}{}", self.origin, Self::MARK, self.text);
        if client == Protocol::Gemini { STANDARD.encode(marked) } else { marked }
    }

    /// As a client gives it back; without a mark it is of the client's own protocol.
    pub fn given_back(client: Protocol, text: String) -> Self {
        let unmarked = |marked: &str| {
            let (origin, proof) = marked.split_once(Self::MARK)?;
            Some(Self { origin: origin.parse().ok()?, text: proof.to_owned() })
        };
        let found = if client == Protocol::Gemini {
            let bytes = STANDARD.decode(standard_base64(&text)).ok();
            bytes.and_then(|bytes| unmarked(std::str::from_utf8(&bytes).ok()?))
        } else {
            unmarked(&text)
        };
        found.unwrap_or(Self { origin: client, text })
    }
}

/// Base64 in the usual letters: libraries of Google write that of addresses as well.
pub(crate) fn standard_base64(data: &str) -> String {
    let mut usual = data.replace('-', "+").replace('_', "/");
    while !usual.len().is_multiple_of(4) {
        usual.push('=');
    }
    usual
}

#[derive(Debug, Clone)]
pub(crate) struct Tool {
    pub name: String,
    pub description: Option<String>,
    /// A JSON Schema; absent where the tool takes nothing.
    pub parameters: Option<Box<RawValue>>,
    pub strict: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    Auto,
    None,
    /// Some tool.
    Any,
    Named(String),
}

impl Choice {
    /// Whether the model must call a tool.
    pub const fn is_forced(&self) -> bool {
        matches!(self, Self::Any | Self::Named(_))
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) enum Format {
    #[default]
    Text,
    Json,
    Schema {
        name: Option<String>,
        description: Option<String>,
        schema: Box<RawValue>,
        strict: Option<bool>,
    },
}

/// How much the model thinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Thinking {
    pub amount: Amount,
    /// Whether the client wants to see it.
    pub shown: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Amount {
    Off,
    /// As much as the model finds right.
    Auto,
    Effort(Effort),
    /// So many tokens.
    Budget(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Effort {
    Minimal,
    Low,
    Medium,
    High,
    Xhigh,
    Max,
}

impl Effort {
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "minimal" => Self::Minimal,
            "low" => Self::Low,
            "medium" => Self::Medium,
            "high" => Self::High,
            "xhigh" => Self::Xhigh,
            "max" => Self::Max,
            _ => return None,
        })
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Xhigh => "xhigh",
            Self::Max => "max",
        }
    }

    /// The tokens that an effort stands for, where an upstream counts.
    pub const fn budget(self) -> u64 {
        match self {
            Self::Minimal | Self::Low => 1_024,
            Self::Medium => 8_192,
            Self::High => 24_576,
            Self::Xhigh | Self::Max => 32_768,
        }
    }

    /// The effort that so many tokens stand for, where an upstream does not count.
    pub const fn of_budget(tokens: u64) -> Self {
        match tokens {
            0..=2_048 => Self::Low,
            2_049..=16_384 => Self::Medium,
            _ => Self::High,
        }
    }
}

impl Conversation {
    /// Adds parts to the turn of a side, which is the last one where that side spoke last.
    pub fn say(&mut self, role: Role, parts: Vec<Part>) {
        if parts.is_empty() {
            return;
        }
        match self.turns.last_mut() {
            Some(turn) if turn.role == role => turn.parts.extend(parts),
            _ => self.turns.push(Turn { role, parts }),
        }
    }

    /// Keeps only the tools that may be called.
    pub fn allow(&mut self, names: &[String]) {
        self.tools.retain(|tool| names.contains(&tool.name));
    }

    /// The name of the tool that a call was for.
    pub fn called(&self, id: &str) -> Option<&str> {
        let parts = self.turns.iter().rev().flat_map(|turn| turn.parts.iter().rev());
        parts
            .filter_map(|part| if let Part::Call(call) = part { Some(call) } else { None })
            .find(|call| call.id == id)
            .map(|call| call.name.as_str())
    }

    /// Whether the model goes on after tools answered, and must have thought before it called them.
    pub fn is_amid_tools(&self) -> bool {
        let answered = |part: &Part| matches!(part, Part::Outcome(_));
        self.turns.last().is_some_and(|turn| turn.parts.iter().any(answered))
    }
}

/// Tokens that the frame of a turn weighs.
const TURN_TOKENS: u64 = 4;
/// Tokens that an image weighs.
const IMAGE_TOKENS: u64 = 1_000;

impl Conversation {
    /// Adds what the model reads.
    pub fn weigh(&self, weight: &mut Weight) {
        self.system.iter().for_each(|text| weight.add(text));
        for turn in &self.turns {
            weight.add_tokens(TURN_TOKENS);
            turn.parts.iter().for_each(|part| part.weigh(weight));
        }
        for tool in &self.tools {
            weight.add(&tool.name);
            weight.add(tool.description.as_deref().unwrap_or_default());
            weight.add(tool.parameters.as_ref().map_or("", |schema| schema.get()));
        }
    }
}

impl Part {
    fn weigh(&self, weight: &mut Weight) {
        match self {
            Self::Text(text) => weight.add(text),
            Self::Media(media) => match &media.source {
                Source::Inline(data) if media.kind != MediaKind::Image => weight.add(data),
                _ => weight.add_tokens(IMAGE_TOKENS),
            },
            Self::Call(call) => {
                weight.add(&call.name);
                weight.add(call.arguments.get());
            }
            Self::Outcome(outcome) => outcome.parts.iter().for_each(|part| part.weigh(weight)),
            Self::Thought(thought) => weight.add(&thought.text),
        }
    }
}

/// What a protocol's own words for a member are, in complaints about what another one lacks.
pub(crate) fn wrong(client: Protocol, member: Member, why: &str) -> Shape {
    let name = match (client, member) {
        (Protocol::Gemini, Member::Temperature) => "generationConfig.temperature",
        (Protocol::Gemini, Member::TopK) => "generationConfig.topK",
        (Protocol::Gemini, Member::PresencePenalty) => "generationConfig.presencePenalty",
        (Protocol::Gemini, Member::FrequencyPenalty) => "generationConfig.frequencyPenalty",
        (Protocol::Gemini, Member::Stop) => "generationConfig.stopSequences",
        (Protocol::Gemini, Member::Turns) => "contents",
        (Protocol::Anthropic, Member::Stop) => "stop_sequences",
        (Protocol::Responses, Member::Turns) => "input",
        (_, Member::Temperature) => "temperature",
        (_, Member::TopK) => "top_k",
        (_, Member::PresencePenalty) => "presence_penalty",
        (_, Member::FrequencyPenalty) => "frequency_penalty",
        (_, Member::Stop) => "stop",
        (_, Member::Turns) => "messages",
    };
    Shape::new(name, why)
}

/// A member that some upstream lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Member {
    Temperature,
    TopK,
    PresencePenalty,
    FrequencyPenalty,
    Stop,
    Turns,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_comes_back_from_every_client_with_its_origin() {
        for origin in Protocol::ALL {
            let proof = Signature { origin, text: "Eq+/Bc==".into() };
            for client in Protocol::ALL {
                assert_eq!(Signature::given_back(client, proof.shown_to(client)), proof, "{origin} by way of {client}");
            }
            // A library of Google writes what it read in the letters of addresses.
            let rewritten = proof.shown_to(Protocol::Gemini).replace('+', "-").replace('/', "_");
            assert_eq!(Signature::given_back(Protocol::Gemini, rewritten).origin, origin);
        }
    }
}
