//! What an upstream is asked. The model is not in it, but in the address.

use super::super::Writing;
use super::super::conversation::{
    Amount, Choice, Conversation, Effort, Format, Media, MediaKind, Member, Outcome, Part, Role, Source, Thinking,
    Tool, Turn, wrong,
};
use crate::Protocol;
use crate::json::{self, Json, Members, Shape};

/// What newer models take in place of a proof that nobody has: that of a conversation which began with another model.
const NO_SIGNATURE: &str = "skip_thought_signature_validator";
/// From this version on, models want proofs of what they thought, and are told a level in place of a budget.
const FIRST_WITH_LEVELS: u32 = 3;

pub(crate) fn write_request(conversation: &Conversation, writing: &mut Writing<'_>) -> Result<Members, Shape> {
    writing.drop("parallel_tool_calls", &conversation.parallel_calls.filter(|parallel| !parallel));
    writing.drop("user", &conversation.user);
    let mut contents = Vec::new();
    for (place, turn) in conversation.turns.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|before| conversation.turns.get(before));
        let parts = Speaker { conversation, before }.parts(turn)?;
        if !parts.is_empty() {
            let role = if turn.role == Role::User { "user" } else { "model" };
            contents.push(Members::new().with("role", role).with("parts", parts).into());
        }
    }
    if contents.is_empty() {
        return Err(wrong(writing.client, Member::Turns, "hold nothing that could be answered"));
    }
    let system = conversation.system.join("\n\n");
    let system = Some(system)
        .filter(|text| !text.trim().is_empty())
        .map(|text| Members::new().with("parts", vec![Members::new().with("text", text).into()]));
    let functions: Vec<Json> = conversation.tools.iter().map(function).collect();
    let has_tools = !functions.is_empty();
    let tools = has_tools.then(|| vec![Members::new().with("functionDeclarations", functions).into()]);
    let config = config(conversation);
    Ok(Members::new()
        .with("contents", contents)
        .maybe("systemInstruction", system)
        .maybe("tools", tools)
        .maybe("toolConfig", conversation.choice.as_ref().filter(|_| has_tools).map(choice))
        .maybe("generationConfig", Some(config).filter(|config| !config.is_empty())))
}

/// The number of a model's generation.
fn version(model: &str) -> Option<u32> {
    let rest = &model[model.find("gemini-")? + "gemini-".len()..];
    rest.split(|end: char| !end.is_ascii_digit()).next()?.parse().ok()
}

fn has_levels(model: &str) -> bool {
    version(model).is_some_and(|version| version >= FIRST_WITH_LEVELS)
}

/// Writes turns, each after the one before it.
struct Speaker<'a> {
    conversation: &'a Conversation,
    before: Option<&'a Turn>,
}

impl Speaker<'_> {
    fn parts(&self, turn: &Turn) -> Result<Vec<Json>, Shape> {
        let mut written = self.outcomes(turn)?;
        let (mut proof, mut is_first_call) = (None, true);
        for part in &turn.parts {
            let members = match part {
                Part::Thought(thought) => {
                    let own = thought.signature.as_ref().filter(|proof| proof.origin == Protocol::Gemini);
                    proof = own.map(|proof| proof.text.clone()).or(proof);
                    continue;
                }
                Part::Outcome(_) => continue,
                Part::Text(text) if text.is_empty() => continue,
                Part::Text(text) => Members::new().with("text", text),
                Part::Media(media) => write_media(media)?,
                Part::Call(call) => {
                    if std::mem::take(&mut is_first_call) && has_levels(&self.conversation.model) {
                        proof.get_or_insert_with(|| NO_SIGNATURE.to_owned());
                    }
                    let call = Members::new().with("name", &call.name).with("args", &call.arguments);
                    Members::new().with("functionCall", call)
                }
            };
            written.push(members.maybe("thoughtSignature", proof.take()).into());
        }
        if let Some(proof) = proof.filter(|_| turn.role == Role::Assistant) {
            written.push(Members::new().with("text", "").with("thoughtSignature", proof).into());
        }
        Ok(written)
    }

    /// What functions answered, in the order in which they were called: without ids, that tells which answer is whose.
    fn outcomes(&self, turn: &Turn) -> Result<Vec<Json>, Shape> {
        let calls = self.before.into_iter().flat_map(|turn| &turn.parts);
        let calls: Vec<&str> =
            calls.filter_map(|part| if let Part::Call(call) = part { Some(call.id.as_str()) } else { None }).collect();
        let outcomes =
            turn.parts.iter().filter_map(|part| if let Part::Outcome(outcome) = part { Some(outcome) } else { None });
        let mut outcomes: Vec<&Outcome> = outcomes.collect();
        outcomes.sort_by_key(|outcome| calls.iter().position(|id| *id == outcome.call).unwrap_or(usize::MAX));
        let mut written = Vec::new();
        let mut shown = Vec::new();
        for outcome in outcomes {
            let name = outcome.name.as_deref().or_else(|| self.conversation.called(&outcome.call));
            let name = name.ok_or_else(|| Shape::new(outcome.at.clone(), "answers no call that was made"))?;
            let response = Members::new().with("name", name.to_owned()).with("response", response(outcome));
            written.push(Members::new().with("functionResponse", response).into());
            for part in &outcome.parts {
                if let Part::Media(media) = part {
                    shown.push(write_media(media)?.into());
                }
            }
        }
        written.append(&mut shown);
        Ok(written)
    }
}

/// What a function answered, as the object that this protocol wants.
fn response(outcome: &Outcome) -> Json {
    let text = outcome.text();
    match json::object(&text).filter(|_| !text.trim().is_empty() && !outcome.failed) {
        Some(object) => object.into(),
        None => Members::new().with(if outcome.failed { "error" } else { "output" }, text).into(),
    }
}

fn write_media(media: &Media) -> Result<Members, Shape> {
    let media_type = media.media_type.clone().or_else(|| match &media.source {
        Source::Url(url) => by_ending(url),
        Source::Inline(_) => None,
    });
    let fallback = match media.kind {
        MediaKind::Image => "image/jpeg",
        MediaKind::Document => "application/pdf",
        MediaKind::Sound => "audio/wav",
    };
    let media_type = media_type.unwrap_or_else(|| fallback.to_owned());
    match &media.source {
        Source::Inline(data) => {
            let blob = Members::new().with("mimeType", media_type).with("data", data);
            Ok(Members::new().with("inlineData", blob))
        }
        Source::Url(url) if url.contains("://") => {
            let file = Members::new().with("mimeType", media_type).with("fileUri", url);
            Ok(Members::new().with("fileData", file))
        }
        Source::Url(_) => Err(Shape::new(media.at.clone(), "is no address and holds no data")),
    }
}

/// What an address promises by its ending.
fn by_ending(url: &str) -> Option<String> {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let ending = path.rsplit('.').next()?.to_ascii_lowercase();
    let media_type = match &*ending {
        "png" => "image/png",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "heic" => "image/heic",
        "pdf" => "application/pdf",
        "jpg" | "jpeg" => "image/jpeg",
        _ => return None,
    };
    Some(media_type.to_owned())
}

fn function(tool: &Tool) -> Json {
    Members::new()
        .with("name", &tool.name)
        .maybe("description", tool.description.as_ref())
        .maybe("parametersJsonSchema", tool.parameters.as_ref())
        .into()
}

fn choice(choice: &Choice) -> Json {
    let mode = match choice {
        Choice::Auto => "AUTO",
        Choice::None => "NONE",
        Choice::Any | Choice::Named(_) => "ANY",
    };
    let only = if let Choice::Named(name) = choice { vec![name.into()] } else { Vec::new() };
    let calling = Members::new().with("mode", mode).unless_empty("allowedFunctionNames", only);
    Members::new().with("functionCallingConfig", calling).into()
}

fn config(conversation: &Conversation) -> Members {
    let sampling = &conversation.sampling;
    let config = Members::new()
        .maybe("temperature", sampling.temperature.as_ref())
        .maybe("topP", sampling.top_p.as_ref())
        .maybe("topK", sampling.top_k.as_ref())
        .maybe("presencePenalty", sampling.presence_penalty.as_ref())
        .maybe("frequencyPenalty", sampling.frequency_penalty.as_ref())
        .maybe("seed", sampling.seed.as_ref())
        .maybe("maxOutputTokens", conversation.max_tokens)
        .unless_empty("stopSequences", conversation.stop.iter().map(Json::from).collect())
        .maybe("thinkingConfig", conversation.thinking.and_then(|thinking| written(thinking, &conversation.model)));
    match &conversation.format {
        Format::Text => config,
        Format::Json => config.with("responseMimeType", "application/json"),
        Format::Schema { schema, .. } => {
            config.with("responseMimeType", "application/json").with("responseJsonSchema", schema)
        }
    }
}

fn written(thinking: Thinking, model: &str) -> Option<Members> {
    let shown = thinking.shown.filter(|shown| *shown);
    let level = |effort: Effort| match effort {
        Effort::Minimal | Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High | Effort::Xhigh | Effort::Max => "high",
    };
    let amount = match thinking.amount {
        Amount::Auto => Members::new(),
        // Newer models cannot be kept from thinking; they think as little as they can.
        Amount::Off if has_levels(model) => Members::new().with("thinkingLevel", level(Effort::Low)),
        Amount::Off => Members::new().with("thinkingBudget", 0_u64),
        Amount::Effort(effort) if has_levels(model) => Members::new().with("thinkingLevel", level(effort)),
        Amount::Effort(effort) => Members::new().with("thinkingBudget", effort.budget()),
        Amount::Budget(tokens) if has_levels(model) => {
            Members::new().with("thinkingLevel", level(Effort::of_budget(tokens)))
        }
        Amount::Budget(tokens) => Members::new().with("thinkingBudget", tokens),
    };
    Some(amount.maybe("includeThoughts", shown)).filter(|config| !config.is_empty())
}
