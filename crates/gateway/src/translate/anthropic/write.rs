//! What an upstream is asked.

use super::super::Writing;
use super::super::conversation::{
    Amount, Choice, Conversation, Effort, Format, Media, MediaKind, Member, Outcome, Part, Role, Source, Thought, Tool,
    Turn, wrong,
};
use crate::Protocol;
use crate::json::{Json, Members, Shape};

/// Fewest tokens that a model may be given to think in.
const MIN_BUDGET_TOKENS: u64 = 1_024;
/// What a model is told that shall answer in JSON of any shape, for which the protocol has no member.
const JSON_ONLY: &str = "Answer with a single JSON object and nothing else: no Markdown, no words around it.";
/// What a tool takes that takes nothing.
const NO_PARAMETERS: &str = "object";

pub(crate) fn write_request(conversation: &Conversation, writing: &mut Writing<'_>) -> Result<Members, Shape> {
    let sampling = &conversation.sampling;
    check(conversation, writing)?;
    writing.drop("seed", &sampling.seed);
    let thinking = Plan::of(conversation, writing.options.default_max_tokens);
    let mut temperature = sampling.temperature.as_ref();
    if thinking.is_on() {
        // A model that thinks takes no other temperature than its own.
        writing.drop("temperature", &temperature);
        temperature = None;
    }
    let mut messages = Vec::new();
    for turn in &conversation.turns {
        let content = write_turn(turn, thinking.is_on())?;
        if !content.is_empty() {
            let role = if turn.role == Role::User { "user" } else { "assistant" };
            messages.push(Members::new().with("role", role).with("content", content).into());
        }
    }
    if messages.is_empty() {
        return Err(wrong(writing.client, Member::Turns, "hold nothing that could be answered"));
    }
    let has_tools = !conversation.tools.is_empty();
    let user = conversation.user.as_ref().map(|user| Members::new().with("user_id", user));
    let body = Members::new()
        .with("model", &conversation.model)
        .with("max_tokens", thinking.max_tokens)
        .maybe("system", system(conversation))
        .with("messages", messages)
        .maybe("temperature", temperature)
        .maybe("top_p", sampling.top_p.as_ref())
        .maybe("top_k", sampling.top_k.as_ref())
        .unless_empty("stop_sequences", conversation.stop.iter().map(Json::from).collect())
        .unless_empty("tools", conversation.tools.iter().map(tool).collect())
        .maybe("tool_choice", choice(conversation).filter(|_| has_tools))
        .maybe("thinking", thinking.written())
        .maybe("output_config", output_config(conversation, &thinking))
        .maybe("metadata", user);
    Ok(if conversation.stream { body.with("stream", true) } else { body })
}

/// Refuses what this protocol has no place for.
fn check(conversation: &Conversation, writing: &Writing<'_>) -> Result<(), Shape> {
    let sampling = &conversation.sampling;
    let number = |raw: &Option<Box<serde_json::value::RawValue>>| -> f64 {
        raw.as_ref().and_then(|raw| raw.get().parse().ok()).unwrap_or_default()
    };
    let refuse = |member, why| Err(wrong(writing.client, member, why));
    if number(&sampling.temperature) > 1.0 {
        return refuse(Member::Temperature, "is more than 1, the highest that the protocol of the upstream takes");
    }
    if number(&sampling.presence_penalty) != 0.0 {
        return refuse(Member::PresencePenalty, "is unknown to the protocol of the upstream");
    }
    if number(&sampling.frequency_penalty) != 0.0 {
        return refuse(Member::FrequencyPenalty, "is unknown to the protocol of the upstream");
    }
    if conversation.stop.iter().any(|stop| stop.trim().is_empty()) {
        return refuse(Member::Stop, "holds nothing but white space, which the protocol of the upstream refuses");
    }
    Ok(())
}

fn system(conversation: &Conversation) -> Option<String> {
    let mut lines = conversation.system.clone();
    if matches!(conversation.format, Format::Json) {
        lines.push(JSON_ONLY.to_owned());
    }
    lines.retain(|line| !line.trim().is_empty());
    (!lines.is_empty()).then(|| lines.join("\n\n"))
}

/// How a model is told to think, and the bound within which it does.
#[derive(Debug, Clone, Copy)]
struct Plan {
    way: Way,
    max_tokens: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Nothing is said of it.
    Unsaid,
    Off,
    Budget(u64),
    Adaptive(Option<Effort>),
}

impl Plan {
    fn of(conversation: &Conversation, default_max_tokens: u64) -> Self {
        let given = conversation.max_tokens;
        let unsaid = Self { way: Way::Unsaid, max_tokens: given.unwrap_or(default_max_tokens) };
        let Some(thinking) = conversation.thinking else { return unsaid };
        if thinking.amount == Amount::Off {
            return Self { way: Way::Off, ..unsaid };
        }
        // A model that must call a tool, or has called one without the proof of what it thought, is not let think.
        if conversation.choice.as_ref().is_some_and(Choice::is_forced)
            || (conversation.is_amid_tools() && !has_proof(conversation))
        {
            return unsaid;
        }
        if is_adaptive(&conversation.model) {
            let effort = match thinking.amount {
                Amount::Effort(effort) => Some(effort.max(Effort::Low)),
                Amount::Budget(tokens) => Some(Effort::of_budget(tokens)),
                Amount::Auto | Amount::Off => None,
            };
            return Self { way: Way::Adaptive(effort), ..unsaid };
        }
        let budget = match thinking.amount {
            Amount::Effort(effort) => effort.budget(),
            Amount::Budget(tokens) => tokens.max(MIN_BUDGET_TOKENS),
            Amount::Auto | Amount::Off => Effort::Medium.budget(),
        };
        match given {
            // What is thought counts as well, and must leave room for an answer.
            Some(max_tokens) if max_tokens > 2 * MIN_BUDGET_TOKENS => {
                let budget = budget.min(max_tokens - MIN_BUDGET_TOKENS);
                Self { way: Way::Budget(budget), max_tokens }
            }
            Some(_) => unsaid,
            None => Self { way: Way::Budget(budget), max_tokens: default_max_tokens.saturating_add(budget) },
        }
    }

    const fn is_on(&self) -> bool {
        matches!(self.way, Way::Budget(_) | Way::Adaptive(_))
    }

    fn written(&self) -> Option<Members> {
        match self.way {
            Way::Unsaid => None,
            Way::Off => Some(Members::typed("disabled")),
            Way::Budget(tokens) => Some(Members::typed("enabled").with("budget_tokens", tokens)),
            Way::Adaptive(_) => Some(Members::typed("adaptive")),
        }
    }
}

/// Whether the last turn of the model begins with a thought that this protocol recognises.
fn has_proof(conversation: &Conversation) -> bool {
    let last = conversation.turns.iter().rev().find(|turn| turn.role == Role::Assistant);
    let is_own =
        |thought: &Thought| thought.signature.as_ref().is_some_and(|proof| proof.origin == Protocol::Anthropic);
    last.is_some_and(|turn| turn.parts.iter().any(|part| matches!(part, Part::Thought(thought) if is_own(thought))))
}

/// Whether a model decides for itself how much it thinks: from 4.6 on, and no budget is taken soon after.
fn is_adaptive(model: &str) -> bool {
    let Some(at) = model.find("claude-") else { return false };
    let numbers = model[at..].split(['-', '.', '@', ':']);
    // A date is no version.
    let mut numbers = numbers.filter(|part| part.len() <= 2).filter_map(|part| part.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    version >= (4, 6)
}

fn output_config(conversation: &Conversation, plan: &Plan) -> Option<Members> {
    let mut config = Members::new();
    if let Way::Adaptive(Some(effort)) = plan.way {
        config = config.with("effort", effort.name());
    }
    if let Format::Schema { schema, .. } = &conversation.format {
        config = config.with("format", Members::typed("json_schema").with("schema", schema));
    }
    (!config.is_empty()).then_some(config)
}

fn write_turn(turn: &Turn, is_thinking: bool) -> Result<Vec<Json>, Shape> {
    let mut content = Vec::new();
    // What tools answered stands before anything that is said.
    for part in &turn.parts {
        if let Part::Outcome(outcome) = part {
            content.push(write_outcome(outcome)?);
        }
    }
    for part in &turn.parts {
        match part {
            Part::Text(text) if text.trim().is_empty() => {}
            Part::Text(text) => content.push(Members::typed("text").with("text", text).into()),
            Part::Media(media) => content.push(write_media(media)?),
            Part::Call(call) => content.push(
                Members::typed("tool_use")
                    .with("id", clean_id(&call.id))
                    .with("name", &call.name)
                    .with("input", &call.arguments)
                    .into(),
            ),
            Part::Thought(thought) if is_thinking => content.extend(write_thought(thought)),
            Part::Thought(_) | Part::Outcome(_) => {}
        }
    }
    Ok(content)
}

/// A thought with its proof; without one, or with that of somebody else, it would be refused.
fn write_thought(thought: &Thought) -> Option<Json> {
    let proof = thought.signature.as_ref().filter(|proof| proof.origin == Protocol::Anthropic)?;
    Some(Members::typed("thinking").with("thinking", &thought.text).with("signature", &proof.text).into())
}

/// An id of the letters that this protocol takes.
fn clean_id(id: &str) -> String {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    let clean: String = id.chars().map(|letter| if allowed(letter) { letter } else { '_' }).collect();
    if clean.is_empty() { "_".into() } else { clean }
}

fn write_outcome(outcome: &Outcome) -> Result<Json, Shape> {
    let mut content = Vec::new();
    for part in &outcome.parts {
        match part {
            Part::Text(text) if text.is_empty() => {}
            Part::Text(text) => content.push(Members::typed("text").with("text", text).into()),
            Part::Media(media) => content.push(write_media(media)?),
            _ => {}
        }
    }
    let result = Members::typed("tool_result").with("tool_use_id", clean_id(&outcome.call));
    let result = match &outcome.parts[..] {
        [Part::Text(text)] if !text.is_empty() => result.with("content", text),
        _ => result.unless_empty("content", content),
    };
    Ok(result.maybe("is_error", outcome.failed.then_some(true)).into())
}

fn write_media(media: &Media) -> Result<Json, Shape> {
    let refuse = |why: &str| Err(Shape::new(media.at.clone(), why));
    let media_type = media.media_type.as_deref();
    let is_document = media.kind == MediaKind::Document || media_type == Some("application/pdf");
    if media.kind == MediaKind::Sound
        || media_type.is_some_and(|name| name.starts_with("audio/") || name.starts_with("video/"))
    {
        return refuse("is a sound or a film, which the protocol of the upstream does not take");
    }
    let source = match &media.source {
        Source::Url(url) if url.starts_with("https://") || url.starts_with("http://") => {
            Members::typed("url").with("url", url)
        }
        Source::Url(_) => return refuse("is an address that the upstream cannot fetch"),
        Source::Inline(data) => {
            let media_type = media_type.unwrap_or(if is_document { "application/pdf" } else { "image/png" });
            Members::typed("base64").with("media_type", media_type.to_owned()).with("data", data)
        }
    };
    let block = Members::typed(if is_document { "document" } else { "image" }).with("source", source);
    Ok(block.maybe("title", media.name.as_ref().filter(|_| is_document)).into())
}

fn tool(tool: &Tool) -> Json {
    let schema = tool.parameters.as_ref().map(Json::from);
    Members::new()
        .with("name", &tool.name)
        .maybe("description", tool.description.as_ref())
        .with("input_schema", schema.unwrap_or_else(|| Members::typed(NO_PARAMETERS).into()))
        .maybe("strict", tool.strict.filter(|strict| *strict))
        .into()
}

fn choice(conversation: &Conversation) -> Option<Json> {
    let one_at_a_time = conversation.parallel_calls == Some(false);
    let written = match &conversation.choice {
        None if !one_at_a_time => return None,
        None | Some(Choice::Auto) => Members::typed("auto"),
        Some(Choice::None) => return Some(Members::typed("none").into()),
        Some(Choice::Any) => Members::typed("any"),
        Some(Choice::Named(name)) => Members::typed("tool").with("name", name),
    };
    Some(written.maybe("disable_parallel_tool_use", one_at_a_time.then_some(true)).into())
}
