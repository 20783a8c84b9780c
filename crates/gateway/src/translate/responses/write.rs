//! What an upstream is asked.

use super::super::Writing;
use super::super::conversation::{
    Choice, Conversation, Format, Media, MediaKind, Member, Outcome, Part, Role, Source, Thought, Tool, Turn, wrong,
};
use super::super::openai::{effort_name, media_url};
use crate::Protocol;
use crate::json::{Json, Members, Shape};
use serde_json::value::RawValue;

pub(crate) fn write_request(conversation: &Conversation, writing: &mut Writing<'_>) -> Result<Members, Shape> {
    check(conversation, writing)?;
    writing.drop("seed", &conversation.sampling.seed);
    let mut input = Vec::new();
    for turn in &conversation.turns {
        write_turn(turn, &mut input)?;
    }
    let tools: Vec<Json> = conversation.tools.iter().map(tool).collect();
    let has_tools = !tools.is_empty();
    let instructions = Some(conversation.system.join("\n\n")).filter(|text| !text.is_empty());
    let text = format(&conversation.format).map(|format| Members::new().with("format", format));
    let reasoning = reasoning(conversation);
    let include = reasoning.is_some().then(|| vec![Json::from("reasoning.encrypted_content")]);
    let body = Members::new()
        .with("model", &conversation.model)
        .maybe("instructions", instructions)
        .with("input", input)
        .unless_empty("tools", tools)
        .maybe("tool_choice", conversation.choice.as_ref().filter(|_| has_tools).map(choice))
        .maybe("parallel_tool_calls", conversation.parallel_calls.filter(|_| has_tools))
        .maybe("temperature", conversation.sampling.temperature.as_ref())
        .maybe("top_p", conversation.sampling.top_p.as_ref())
        .maybe("max_output_tokens", conversation.max_tokens)
        .maybe("text", text)
        .maybe("reasoning", reasoning)
        .maybe("include", include)
        .maybe("user", conversation.user.as_ref())
        // The client keeps the conversation: nobody would ask for what the upstream keeps.
        .with("store", false);
    Ok(if conversation.stream { body.with("stream", true) } else { body })
}

/// Refuses what this protocol has no place for.
fn check(conversation: &Conversation, writing: &Writing<'_>) -> Result<(), Shape> {
    let sampling = &conversation.sampling;
    let is_zero = |raw: &RawValue| raw.get().parse::<f64>().is_ok_and(|number| number == 0.0);
    let says = |number: &Option<Box<_>>| number.as_ref().is_some_and(|raw| !is_zero(raw));
    let member = if sampling.top_k.is_some() {
        Member::TopK
    } else if says(&sampling.presence_penalty) {
        Member::PresencePenalty
    } else if says(&sampling.frequency_penalty) {
        Member::FrequencyPenalty
    } else if !conversation.stop.is_empty() {
        Member::Stop
    } else {
        return Ok(());
    };
    Err(wrong(writing.client, member, "is unknown to the protocol of the upstream"))
}

fn reasoning(conversation: &Conversation) -> Option<Members> {
    let thinking = conversation.thinking?;
    let effort = effort_name(thinking.amount).map(Json::from);
    let summary = (thinking.shown == Some(true)).then_some("auto");
    let written = Members::new().maybe("effort", effort).maybe("summary", summary);
    (!written.is_empty()).then_some(written)
}

fn write_turn(turn: &Turn, input: &mut Vec<Json>) -> Result<(), Shape> {
    for part in &turn.parts {
        if let Part::Outcome(outcome) = part {
            input.push(write_outcome(outcome)?);
        }
    }
    let is_user = turn.role == Role::User;
    let mut content = Vec::new();
    for part in &turn.parts {
        match part {
            Part::Text(text) => {
                let kind = if is_user { "input_text" } else { "output_text" };
                content.push(Members::typed(kind).with("text", text).into());
            }
            Part::Media(media) => content.push(write_media(media)?),
            Part::Call(call) => {
                say(is_user, &mut content, input);
                let item = Members::typed("function_call").with("call_id", &call.id).with("name", &call.name);
                input.push(item.with("arguments", call.arguments.get().to_owned()).into());
            }
            Part::Thought(thought) => {
                if let Some(item) = write_thought(thought) {
                    say(is_user, &mut content, input);
                    input.push(item);
                }
            }
            Part::Outcome(_) => {}
        }
    }
    say(is_user, &mut content, input);
    Ok(())
}

/// Says what was collected, in a message of its own.
fn say(is_user: bool, content: &mut Vec<Json>, input: &mut Vec<Json>) {
    if !content.is_empty() {
        let role = if is_user { "user" } else { "assistant" };
        let message = Members::typed("message").with("role", role).with("content", std::mem::take(content));
        input.push(message.into());
    }
}

/// A thought of this protocol: its proof holds the id of the item as well.
fn write_thought(thought: &Thought) -> Option<Json> {
    let proof = thought.signature.as_ref().filter(|proof| proof.origin == Protocol::Responses)?;
    let (id, encrypted) = proof.text.split_once(':')?;
    let summary = if thought.text.is_empty() {
        Vec::new()
    } else {
        vec![Members::typed("summary_text").with("text", &thought.text).into()]
    };
    let item = Members::typed("reasoning").with("id", id.to_owned()).with("summary", summary);
    Some(item.with("encrypted_content", encrypted.to_owned()).into())
}

fn write_outcome(outcome: &Outcome) -> Result<Json, Shape> {
    let item = Members::typed("function_call_output").with("call_id", &outcome.call);
    if outcome.parts.iter().all(|part| matches!(part, Part::Text(_))) {
        return Ok(item.with("output", outcome.text()).into());
    }
    let mut output = Vec::new();
    for part in &outcome.parts {
        match part {
            Part::Text(text) => output.push(Members::typed("input_text").with("text", text).into()),
            Part::Media(media) => output.push(write_media(media)?),
            _ => {}
        }
    }
    Ok(item.with("output", output).into())
}

fn write_media(media: &Media) -> Result<Json, Shape> {
    Ok(match (media.kind, &media.source) {
        (MediaKind::Image, _) => {
            let image = Members::typed("input_image").with("image_url", media_url(media));
            image.with("detail", media.detail.clone().unwrap_or_else(|| "auto".into())).into()
        }
        (MediaKind::Document, Source::Url(url)) => Members::typed("input_file").with("file_url", url).into(),
        (MediaKind::Document, Source::Inline(_)) => {
            let name = media.name.clone().unwrap_or_else(|| "document.pdf".into());
            Members::typed("input_file").with("filename", name).with("file_data", media_url(media)).into()
        }
        (MediaKind::Sound, _) => {
            return Err(Shape::new(media.at.clone(), "is a sound, which the protocol of the upstream does not take"));
        }
    })
}

fn tool(tool: &Tool) -> Json {
    let parameters = tool.parameters.as_ref().map(Json::from);
    let parameters = parameters.unwrap_or_else(|| Members::typed("object").with("properties", Members::new()).into());
    Members::typed("function")
        .with("name", &tool.name)
        .maybe("description", tool.description.as_ref())
        .with("parameters", parameters)
        // Here a schema is strict unless it says otherwise, everywhere else only where it says so.
        .with("strict", tool.strict.unwrap_or(false))
        .into()
}

fn choice(choice: &Choice) -> Json {
    match choice {
        Choice::Auto => "auto".into(),
        Choice::None => "none".into(),
        Choice::Any => "required".into(),
        Choice::Named(name) => Members::typed("function").with("name", name).into(),
    }
}

fn format(format: &Format) -> Option<Json> {
    Some(match format {
        Format::Text => return None,
        Format::Json => Members::typed("json_object").into(),
        Format::Schema { name, description, schema, strict } => Members::typed("json_schema")
            .with("name", name.clone().unwrap_or_else(|| "answer".into()))
            .maybe("description", description.as_ref())
            .with("schema", schema)
            .with("strict", strict.unwrap_or(false))
            .into(),
    })
}
