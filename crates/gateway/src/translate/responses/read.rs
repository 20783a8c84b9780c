//! What a client asks.

use super::super::Asked;
use super::super::conversation::{
    Amount, Choice, Conversation, Format, Media, MediaKind, Outcome, Part, Role, Signature, Source, Thinking, Thought,
    Tool, texts,
};
use super::super::openai::{data_url, effort, plain_choice, schema_format};
use super::answer::{read_call, summary_of};
use crate::Protocol;
use crate::json::{Field, Kind, Object, Shape};

/// Members that every answer repeats.
const ECHOED: [&str; 12] = [
    "instructions",
    "max_output_tokens",
    "metadata",
    "parallel_tool_calls",
    "reasoning",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_p",
    "truncation",
    "user",
];

pub(crate) fn read_request(root: &Field<'_>) -> Result<Asked, Shape> {
    let mut again = root.object()?;
    let echo = ECHOED.into_iter().filter_map(|name| Some((name, again.raw(name)?))).collect();
    let mut object = root.object()?;
    let mut conversation = Conversation { model: object.need_text("model")?, ..Conversation::default() };
    conversation.include_usage = true;
    refuse(&mut object)?;
    if let Some(instructions) = object.take("instructions") {
        read_instructions(&mut conversation, &instructions)?;
    }
    read_input(&mut conversation, &object.need("input")?)?;
    for tool in object.list("tools")? {
        conversation.tools.push(read_tool(&tool)?);
    }
    if let Some(choice) = object.take("tool_choice") {
        read_choice(&mut conversation, &choice)?;
    }
    conversation.parallel_calls = object.flag("parallel_tool_calls")?;
    conversation.sampling.temperature = object.number("temperature")?;
    conversation.sampling.top_p = object.number("top_p")?;
    conversation.max_tokens = object.count("max_output_tokens")?;
    if let Some(mut text) = object.object("text")?
        && let Some(format) = text.take("format")
    {
        conversation.format = read_format(&format)?;
    }
    if let Some(reasoning) = object.object("reasoning")? {
        conversation.thinking = read_reasoning(reasoning)?;
    }
    conversation.stream = object.flag("stream")?.unwrap_or(false);
    let user = object.text("user")?;
    conversation.user = object.text("safety_identifier")?.or(user);
    // Every answer holds all that could be included, as far as there is any.
    let _included = object.take("include");
    Ok(Asked { conversation, dropped: object.rest().map(str::to_owned).collect(), echo })
}

fn refuse(object: &mut Object<'_>) -> Result<(), Shape> {
    const MEMORY: &str = "needs a server that keeps answers; send the whole conversation in its place";
    const ELSEWHERE: &str = "has no counterpart in the protocol of the upstream";
    for name in ["previous_response_id", "conversation", "background", "prompt"] {
        object.refuse(name, MEMORY)?;
    }
    for name in ["top_logprobs", "moderation", "context_management"] {
        object.refuse(name, ELSEWHERE)?;
    }
    Ok(())
}

fn read_instructions(conversation: &mut Conversation, field: &Field<'_>) -> Result<(), Shape> {
    if field.kind() == Kind::Text {
        conversation.system.push(field.text()?);
        return Ok(());
    }
    field.list()?.iter().try_for_each(|item| read_item(conversation, item))
}

fn read_input(conversation: &mut Conversation, field: &Field<'_>) -> Result<(), Shape> {
    if field.kind() == Kind::Text {
        conversation.say(Role::User, vec![Part::Text(field.text()?)]);
        return Ok(());
    }
    field.list()?.iter().try_for_each(|item| read_item(conversation, item))
}

fn read_item(conversation: &mut Conversation, field: &Field<'_>) -> Result<(), Shape> {
    let mut item = field.object()?;
    let kind = item.take("type");
    let name = kind.as_ref().map_or_else(|| Ok("message".to_owned()), Field::text)?;
    match &*name {
        "message" => read_message(conversation, &mut item)?,
        "function_call" => conversation.say(Role::Assistant, vec![Part::Call(read_call(&mut item)?)]),
        "function_call_output" => {
            let call = item.need_text("call_id")?;
            let parts = read_content(&item.need("output")?)?;
            let outcome = Outcome { call, name: None, parts, failed: false, at: field.at().to_owned() };
            conversation.say(Role::User, vec![Part::Outcome(outcome)]);
        }
        "reasoning" => conversation.say(Role::Assistant, vec![read_thought(&mut item)?]),
        "item_reference" => return Err(field.wrong("names what only a server that keeps answers has")),
        _ => {
            let why = "is an item that the protocol of the upstream does not know";
            return Err(kind.map_or_else(|| field.wrong(why), |kind| kind.wrong(why)));
        }
    }
    Ok(())
}

fn read_message(conversation: &mut Conversation, item: &mut Object<'_>) -> Result<(), Shape> {
    let role = item.need_text("role")?;
    let parts = read_content(&item.need("content")?)?;
    match &*role {
        "system" | "developer" => conversation.system.extend(texts(&parts).into_iter().map(str::to_owned)),
        "user" => conversation.say(Role::User, parts),
        "assistant" => conversation.say(Role::Assistant, parts),
        _ => return Err(item.wrong("role", "is none of system, developer, user and assistant")),
    }
    Ok(())
}

fn read_content(field: &Field<'_>) -> Result<Vec<Part>, Shape> {
    if field.kind() == Kind::Text {
        let text = field.text()?;
        return Ok(if text.is_empty() { Vec::new() } else { vec![Part::Text(text)] });
    }
    field.list()?.iter().map(read_part).collect()
}

fn read_part(field: &Field<'_>) -> Result<Part, Shape> {
    const FILE_ID: &str = "names a file that only its own server has";
    let mut part = field.object()?;
    let kind = part.need("type")?;
    match &*kind.text()? {
        "input_text" | "output_text" | "text" => part.need_text("text").map(Part::Text),
        "refusal" => part.need_text("refusal").map(Part::Text),
        "input_image" => {
            part.refuse("file_id", FILE_ID)?;
            let (media_type, source) = data_url(part.need_text("image_url")?);
            let (detail, at) = (part.text("detail")?, part.place("image_url"));
            Ok(Part::Media(Media { kind: MediaKind::Image, media_type, source, detail, name: None, at }))
        }
        "input_file" => {
            part.refuse("file_id", FILE_ID)?;
            let name = part.text("filename")?;
            let (media_type, source) = match part.text("file_url")? {
                Some(url) => (Some("application/pdf".to_owned()), Source::Url(url)),
                None => data_url(part.need_text("file_data")?),
            };
            let at = field.at().to_owned();
            Ok(Part::Media(Media { kind: MediaKind::Document, media_type, source, detail: None, name, at }))
        }
        _ => Err(kind.wrong("is none of input_text, input_image, input_file, output_text and refusal")),
    }
}

fn read_thought(item: &mut Object<'_>) -> Result<Part, Shape> {
    let text = summary_of(item)?;
    let signature = item.text("encrypted_content")?.filter(|text| !text.is_empty());
    let signature = signature.map(|text| Signature::given_back(Protocol::Responses, text));
    Ok(Part::Thought(Thought { text, signature }))
}

fn read_tool(field: &Field<'_>) -> Result<Tool, Shape> {
    let mut tool = field.object()?;
    let kind = tool.need("type")?;
    if kind.text()? != "function" {
        return Err(kind.wrong("is a tool of OpenAI's own, which the upstream does not have"));
    }
    Ok(Tool {
        name: tool.need_text("name")?,
        description: tool.text("description")?,
        parameters: tool.object_text("parameters")?,
        strict: tool.flag("strict")?,
    })
}

fn read_choice(conversation: &mut Conversation, field: &Field<'_>) -> Result<(), Shape> {
    if field.kind() == Kind::Text {
        conversation.choice = Some(plain_choice(field)?);
        return Ok(());
    }
    let mut choice = field.object()?;
    let kind = choice.need("type")?;
    match &*kind.text()? {
        "function" => conversation.choice = Some(Choice::Named(choice.need_text("name")?)),
        "allowed_tools" => {
            let is_forced = choice.text("mode")?.as_deref() == Some("required");
            let tools = choice.list("tools")?;
            let names: Result<Vec<_>, Shape> = tools.iter().map(|tool| tool.object()?.need_text("name")).collect();
            conversation.allow(&names?);
            conversation.choice = Some(if is_forced { Choice::Any } else { Choice::Auto });
        }
        _ => return Err(kind.wrong("is neither function nor allowed_tools")),
    }
    Ok(())
}

fn read_format(field: &Field<'_>) -> Result<Format, Shape> {
    let mut format = field.object()?;
    let kind = format.need("type")?;
    match &*kind.text()? {
        "text" => Ok(Format::Text),
        "json_object" => Ok(Format::Json),
        "json_schema" => schema_format(format),
        _ => Err(kind.wrong("is none of text, json_object and json_schema")),
    }
}

fn read_reasoning(mut reasoning: Object<'_>) -> Result<Option<Thinking>, Shape> {
    let shown = reasoning.text("summary")?.map(|_| true);
    let amount = reasoning.take("effort").map(|field| effort(&field)).transpose()?;
    Ok(match (amount, shown) {
        (None, None) => None,
        (amount, shown) => Some(Thinking { amount: amount.unwrap_or(Amount::Auto), shown }),
    })
}
