//! What an upstream is asked.

use super::super::Writing;
use super::super::conversation::{
    Amount, Call, Choice, Conversation, Effort, Format, Media, MediaKind, Member, Outcome, Part, Role, Source, Tool,
    Turn, texts, wrong,
};
use crate::json::{Json, Members, Shape};

pub(crate) fn write_request(conversation: &Conversation, writing: &mut Writing<'_>) -> Result<Members, Shape> {
    let sampling = &conversation.sampling;
    if sampling.top_k.is_some() {
        return Err(wrong(writing.client, Member::TopK, "is unknown to the protocol of the upstream"));
    }
    let mut messages = Vec::new();
    if !conversation.system.is_empty() {
        messages.push(message("system", conversation.system.join("\n\n").into()));
    }
    for turn in &conversation.turns {
        write_turn(turn, &mut messages)?;
    }
    if conversation.turns.last().is_some_and(|turn| turn.role == Role::Assistant) && !messages_may_end_so(writing) {
        let why = "ends with what the model said, which the protocol of the upstream does not continue";
        return Err(wrong(writing.client, Member::Turns, why));
    }
    let tokens = if takes_completion_tokens(&conversation.model) { "max_completion_tokens" } else { "max_tokens" };
    let stop: Vec<Json> = conversation.stop.iter().map(Json::from).collect();
    let tools: Vec<Json> = conversation.tools.iter().map(tool).collect();
    let has_tools = !tools.is_empty();
    let mut body = Members::new()
        .with("model", &conversation.model)
        .with("messages", messages)
        .maybe("temperature", sampling.temperature.as_ref())
        .maybe("top_p", sampling.top_p.as_ref())
        .maybe("presence_penalty", sampling.presence_penalty.as_ref())
        .maybe("frequency_penalty", sampling.frequency_penalty.as_ref())
        .maybe("seed", sampling.seed.as_ref())
        .maybe(tokens, conversation.max_tokens)
        .unless_empty("stop", stop)
        .unless_empty("tools", tools)
        .maybe("tool_choice", conversation.choice.as_ref().filter(|_| has_tools).map(choice))
        .maybe("parallel_tool_calls", conversation.parallel_calls.filter(|_| has_tools))
        .maybe("response_format", format(&conversation.format))
        .maybe("reasoning_effort", conversation.thinking.and_then(|thinking| effort_name(thinking.amount)))
        .maybe("user", conversation.user.as_ref());
    if conversation.stream {
        // Asked for in any case: it is counted, and other protocols always tell it.
        body = body.with("stream", true).with("stream_options", Members::new().with("include_usage", true));
    }
    Ok(body)
}

/// Whether what the model said last is no beginning that it shall go on from.
fn messages_may_end_so(writing: &Writing<'_>) -> bool {
    writing.client != crate::Protocol::Anthropic
}

/// Whether a model wants the newer name of the bound: those that think refuse the older one, which everybody else knows.
pub(crate) fn takes_completion_tokens(model: &str) -> bool {
    let bare = model.rsplit('/').next().unwrap_or(model);
    let mut letters = bare.chars();
    let is_o = letters.next() == Some('o') && letters.next().is_some_and(|digit| digit.is_ascii_digit());
    let number = bare.strip_prefix("gpt-").and_then(|rest| rest.split(|end: char| !end.is_ascii_digit()).next());
    is_o || number.and_then(|number| number.parse::<u32>().ok()).is_some_and(|number| number >= 5)
}

fn message(role: &'static str, content: Json) -> Json {
    Members::new().with("role", role).with("content", content).into()
}

fn write_turn(turn: &Turn, messages: &mut Vec<Json>) -> Result<(), Shape> {
    if turn.role == Role::Assistant {
        messages.push(assistant(&turn.parts)?);
        return Ok(());
    }
    let mut shown = Vec::new();
    for part in &turn.parts {
        let Part::Outcome(outcome) = part else { continue };
        messages.push(tool_message(outcome));
        // A tool of this protocol answers in text alone; what it shows is said by the user behind it.
        for media in outcome.parts.iter().filter(|part| matches!(part, Part::Media(_))) {
            shown.push(media);
        }
    }
    let said = turn.parts.iter().filter(|part| matches!(part, Part::Text(_) | Part::Media(_)));
    let said: Vec<&Part> = shown.into_iter().chain(said).collect();
    match &said[..] {
        [] => {}
        [Part::Text(text)] => messages.push(message("user", text.into())),
        parts => {
            let parts = parts.iter().map(|part| content_part(part)).collect::<Result<Vec<_>, _>>()?;
            messages.push(message("user", parts.into()));
        }
    }
    Ok(())
}

fn tool_message(outcome: &Outcome) -> Json {
    Members::new().with("role", "tool").with("tool_call_id", &outcome.call).with("content", outcome.text()).into()
}

fn assistant(parts: &[Part]) -> Result<Json, Shape> {
    if let Some(media) = parts.iter().find_map(|part| if let Part::Media(media) = part { Some(media) } else { None }) {
        return Err(Shape::new(
            media.at.clone(),
            "is said by the model, which the protocol of the upstream cannot be told",
        ));
    }
    let calls: Vec<Json> =
        parts.iter().filter_map(|part| if let Part::Call(call) = part { Some(call_of(call)) } else { None }).collect();
    let said = texts(parts);
    let content = if said.is_empty() && !calls.is_empty() { Json::Null } else { said.concat().into() };
    let message = Members::new().with("role", "assistant").with("content", content);
    Ok(message.unless_empty("tool_calls", calls).into())
}

fn call_of(call: &Call) -> Json {
    let function = Members::new().with("name", &call.name).with("arguments", call.arguments.get().to_owned());
    Members::new().with("id", &call.id).with("type", "function").with("function", function).into()
}

fn content_part(part: &Part) -> Result<Json, Shape> {
    let Part::Media(media) = part else {
        let text = if let Part::Text(text) = part { text.clone() } else { String::new() };
        return Ok(Members::typed("text").with("text", text).into());
    };
    Ok(match media.kind {
        MediaKind::Image => {
            let url = Members::new().with("url", media_url(media)).maybe("detail", media.detail.as_ref());
            Members::typed("image_url").with("image_url", url).into()
        }
        MediaKind::Document => {
            if matches!(media.source, Source::Url(_)) {
                return Err(Shape::new(
                    media.at.clone(),
                    "is an address, where the upstream wants the document itself",
                ));
            }
            let name = media.name.clone().unwrap_or_else(|| "document.pdf".into());
            let file = Members::new().with("filename", name).with("file_data", media_url(media));
            Members::typed("file").with("file", file).into()
        }
        MediaKind::Sound => {
            let subtype = media.media_type.as_deref().and_then(|media_type| media_type.strip_prefix("audio/"));
            let sound = match (subtype, &media.source) {
                (Some("wav" | "x-wav" | "wave"), Source::Inline(data)) => Some(("wav", data)),
                (Some("mp3" | "mpeg"), Source::Inline(data)) => Some(("mp3", data)),
                _ => None,
            };
            let (format, data) =
                sound.ok_or_else(|| Shape::new(media.at.clone(), "is a sound that the upstream does not take"))?;
            let audio = Members::new().with("data", data).with("format", format);
            Members::typed("input_audio").with("input_audio", audio).into()
        }
    })
}

/// The address of a medium, which holds it where it is given inline.
pub(crate) fn media_url(media: &Media) -> String {
    match &media.source {
        Source::Url(url) => url.clone(),
        Source::Inline(data) => data_of(media.media_type.as_deref().unwrap_or(default_type(media.kind)), data),
    }
}

pub(crate) fn data_of(media_type: &str, data: &str) -> String {
    format!("data:{media_type};base64,{data}")
}

const fn default_type(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "image/png",
        MediaKind::Document => "application/pdf",
        MediaKind::Sound => "audio/wav",
    }
}

fn tool(tool: &Tool) -> Json {
    let function = Members::new()
        .with("name", &tool.name)
        .maybe("description", tool.description.as_ref())
        .maybe("parameters", tool.parameters.as_ref())
        .maybe("strict", tool.strict);
    Members::typed("function").with("function", function).into()
}

fn choice(choice: &Choice) -> Json {
    match choice {
        Choice::Auto => "auto".into(),
        Choice::None => "none".into(),
        Choice::Any => "required".into(),
        Choice::Named(name) => Members::typed("function").with("function", Members::new().with("name", name)).into(),
    }
}

fn format(format: &Format) -> Option<Json> {
    Some(match format {
        Format::Text => return None,
        Format::Json => Members::typed("json_object").into(),
        Format::Schema { name, description, schema, strict } => {
            let schema = Members::new()
                .with("name", name.clone().unwrap_or_else(|| "answer".into()))
                .maybe("description", description.as_ref())
                .with("schema", schema)
                .maybe("strict", *strict);
            Members::typed("json_schema").with("json_schema", schema).into()
        }
    })
}

/// The effort that was asked for. Models that do not think refuse the member, so nothing is said where nothing must be.
pub(crate) fn effort_name(amount: Amount) -> Option<&'static str> {
    match amount {
        Amount::Off | Amount::Auto => None,
        Amount::Effort(effort) => Some(effort.name()),
        Amount::Budget(tokens) => Some(Effort::of_budget(tokens).name()),
    }
}
