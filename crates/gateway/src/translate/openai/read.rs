//! What a client asks.

use super::super::Asked;
use super::super::conversation::{
    Amount, Call, Choice, Conversation, Effort, Format, Media, MediaKind, Outcome, Part, Role, Signature, Source,
    Thinking, Thought, Tool,
};
use crate::Protocol;
use crate::json::{self, Field, Kind, Object, Shape};

pub(crate) fn read_request(root: &Field<'_>) -> Result<Asked, Shape> {
    let mut object = root.object()?;
    let mut conversation = Conversation { model: object.need_text("model")?, ..Conversation::default() };
    refuse(&mut object)?;
    for message in object.need("messages")?.list()? {
        read_message(&mut conversation, &message)?;
    }
    for tool in object.list("tools")? {
        conversation.tools.push(read_tool(&tool)?);
    }
    if let Some(choice) = object.take("tool_choice") {
        read_choice(&mut conversation, &choice)?;
    }
    conversation.parallel_calls = object.flag("parallel_tool_calls")?;
    let sampling = &mut conversation.sampling;
    sampling.temperature = object.number("temperature")?;
    sampling.top_p = object.number("top_p")?;
    sampling.top_k = object.number("top_k")?;
    sampling.presence_penalty = object.number("presence_penalty")?;
    sampling.frequency_penalty = object.number("frequency_penalty")?;
    sampling.seed = object.number("seed")?;
    let older = object.count("max_tokens")?;
    conversation.max_tokens = object.count("max_completion_tokens")?.or(older);
    conversation.stop = object.take("stop").map_or_else(|| Ok(Vec::new()), |stop| stop.texts())?;
    if let Some(format) = object.take("response_format") {
        conversation.format = read_format(&format)?;
    }
    if let Some(effort_field) = object.take("reasoning_effort") {
        conversation.thinking = Some(Thinking { amount: effort(&effort_field)?, shown: None });
    }
    conversation.stream = object.flag("stream")?.unwrap_or(false);
    if let Some(mut options) = object.object("stream_options")? {
        conversation.include_usage = options.flag("include_usage")?.unwrap_or(false);
    }
    let user = object.text("user")?;
    conversation.user = object.text("safety_identifier")?.or(user);
    Ok(Asked { conversation, dropped: object.rest().map(str::to_owned).collect(), echo: Vec::new() })
}

/// What changes the answer in a way that no other protocol knows.
fn refuse(object: &mut Object<'_>) -> Result<(), Shape> {
    const ELSEWHERE: &str = "has no counterpart in the protocol of the upstream";
    for name in ["audio", "web_search_options", "logprobs", "top_logprobs", "moderation", "logit_bias"] {
        object.refuse(name, ELSEWHERE)?;
    }
    for name in ["functions", "function_call"] {
        object.refuse(name, "is the older form; give tools in its place")?;
    }
    if let Some(several) = object.take("n")
        && several.count()? != 1
    {
        return Err(several.wrong("is more than one answer, which the protocol of the upstream does not give"));
    }
    let modalities = object.take("modalities");
    let texts = modalities.as_ref().map_or_else(|| Ok(Vec::new()), Field::texts)?;
    match modalities.filter(|_| texts.iter().any(|name| name != "text")) {
        Some(field) => Err(field.wrong("asks for more than text")),
        None => Ok(()),
    }
}

/// An effort by its name; `none` is no thinking at all.
pub(crate) fn effort(field: &Field<'_>) -> Result<Amount, Shape> {
    let name = field.text()?;
    match &*name {
        "none" => Ok(Amount::Off),
        _ => Effort::named(&name).map(Amount::Effort).ok_or_else(|| field.wrong("is no effort")),
    }
}

fn read_message(conversation: &mut Conversation, field: &Field<'_>) -> Result<(), Shape> {
    let mut message = field.object()?;
    let role = message.need_text("role")?;
    match &*role {
        "system" | "developer" => {
            let parts = read_content(message.take("content"))?;
            let texts = super::super::conversation::texts(&parts);
            conversation.system.extend(texts.into_iter().map(str::to_owned));
        }
        "user" => {
            let parts = read_content(Some(message.need("content")?))?;
            conversation.say(Role::User, parts);
        }
        "assistant" => {
            let parts = read_assistant(&mut message)?;
            conversation.say(Role::Assistant, parts);
        }
        "tool" => {
            let call = message.need_text("tool_call_id")?;
            let parts = read_content(message.take("content"))?;
            let outcome = Outcome { call, name: None, parts, failed: false, at: field.at().to_owned() };
            conversation.say(Role::User, vec![Part::Outcome(outcome)]);
        }
        "function" => return Err(message.wrong("role", "is the older form; give the role tool in its place")),
        _ => return Err(message.wrong("role", "is none of system, developer, user, assistant and tool")),
    }
    Ok(())
}

fn read_assistant(message: &mut Object<'_>) -> Result<Vec<Part>, Shape> {
    let mut parts = read_content(message.take("content"))?;
    parts.extend(message.text("refusal")?.map(Part::Text));
    message.refuse("audio", "cannot be given to the protocol of the upstream")?;
    message.refuse("function_call", "is the older form; give tool_calls in its place")?;
    for field in message.list("tool_calls")? {
        let mut call = field.object()?;
        let id = call.need_text("id")?;
        if let Some(kind) = call.take("type")
            && kind.text()? != "function"
        {
            return Err(kind.wrong("is not function, which the protocol of the upstream does not know"));
        }
        parts.extend(call.object("extra_content")?.map(signature_of).transpose()?.flatten());
        let mut function = call.need("function")?.object()?;
        let name = function.need_text("name")?;
        let arguments = function.take("arguments");
        let text = arguments.as_ref().map_or_else(|| Ok(String::new()), Field::text)?;
        let arguments = json::object(&text).ok_or_else(|| function.wrong("arguments", "is no JSON object"))?;
        parts.push(Part::Call(Call { id, name, arguments }));
    }
    Ok(parts)
}

/// The proof that Gemini wants with a call, where its own OpenAI face keeps it.
fn signature_of(mut extra: Object<'_>) -> Result<Option<Part>, Shape> {
    let google = extra.object("google")?.map(|mut google| google.text("thought_signature")).transpose()?;
    let signature = google.flatten().map(|text| Signature { origin: Protocol::Gemini, text });
    Ok(signature.map(|signature| Part::Thought(Thought { text: String::new(), signature: Some(signature) })))
}

fn read_content(content: Option<Field<'_>>) -> Result<Vec<Part>, Shape> {
    let Some(content) = content else { return Ok(Vec::new()) };
    if content.kind() == Kind::Text {
        let text = content.text()?;
        return Ok(if text.is_empty() { Vec::new() } else { vec![Part::Text(text)] });
    }
    content.list()?.iter().map(read_part).collect()
}

fn read_part(field: &Field<'_>) -> Result<Part, Shape> {
    let mut part = field.object()?;
    let kind = part.need("type")?;
    match &*kind.text()? {
        "text" => part.need_text("text").map(Part::Text),
        "refusal" => part.need_text("refusal").map(Part::Text),
        "image_url" => {
            let mut image = part.need("image_url")?.object()?;
            let url = image.need_text("url")?;
            let (media_type, source) = data_url(url);
            let detail = image.text("detail")?;
            let at = image.place("url");
            Ok(Part::Media(Media { kind: MediaKind::Image, media_type, source, detail, name: None, at }))
        }
        "input_audio" => {
            let mut audio = part.need("input_audio")?.object()?;
            let media_type = match &*audio.need_text("format")? {
                "mp3" => "audio/mp3".to_owned(),
                other => format!("audio/{other}"),
            };
            let source = Source::Inline(audio.need_text("data")?);
            let at = field.at().to_owned();
            let media_type = Some(media_type);
            Ok(Part::Media(Media { kind: MediaKind::Sound, media_type, source, detail: None, name: None, at }))
        }
        "file" => {
            let mut file = part.need("file")?.object()?;
            file.refuse("file_id", "names a file that only its own server has; give file_data in its place")?;
            let name = file.text("filename")?;
            let (media_type, source) = data_url(file.need_text("file_data")?);
            let at = file.place("file_data");
            Ok(Part::Media(Media { kind: MediaKind::Document, media_type, source, detail: None, name, at }))
        }
        _ => Err(kind.wrong("is none of text, image_url, input_audio, file and refusal")),
    }
}

/// What a `data:` address holds; any other stays an address.
pub(crate) fn data_url(url: String) -> (Option<String>, Source) {
    let inline = url.strip_prefix("data:").and_then(|rest| rest.split_once(','));
    match inline.and_then(|(head, data)| Some((head.strip_suffix(";base64")?, data))) {
        Some((head, data)) => {
            let media_type = head.split(';').next().filter(|media_type| !media_type.is_empty());
            (media_type.map(str::to_owned), Source::Inline(data.to_owned()))
        }
        None => (None, Source::Url(url)),
    }
}

fn read_tool(field: &Field<'_>) -> Result<Tool, Shape> {
    let mut tool = field.object()?;
    let kind = tool.need("type")?;
    if kind.text()? != "function" {
        return Err(kind.wrong("is not function, which the protocol of the upstream does not know"));
    }
    let mut function = tool.need("function")?.object()?;
    Ok(Tool {
        name: function.need_text("name")?,
        description: function.text("description")?,
        parameters: function.object_text("parameters")?,
        strict: function.flag("strict")?,
    })
}

/// A choice of tools in one word, as both protocols of OpenAI have it.
pub(in crate::translate) fn plain_choice(field: &Field<'_>) -> Result<Choice, Shape> {
    match &*field.text()? {
        "auto" => Ok(Choice::Auto),
        "none" => Ok(Choice::None),
        "required" => Ok(Choice::Any),
        _ => Err(field.wrong("is none of auto, none and required")),
    }
}

fn read_choice(conversation: &mut Conversation, field: &Field<'_>) -> Result<(), Shape> {
    if field.kind() == Kind::Text {
        conversation.choice = Some(plain_choice(field)?);
        return Ok(());
    }
    let mut choice = field.object()?;
    let kind = choice.need("type")?;
    match &*kind.text()? {
        "function" => {
            let name = choice.need("function")?.object()?.need_text("name")?;
            conversation.choice = Some(Choice::Named(name));
        }
        "allowed_tools" => {
            let mut allowed = choice.need("allowed_tools")?.object()?;
            let is_forced = allowed.text("mode")?.as_deref() == Some("required");
            let tools = allowed.list("tools")?;
            let name = |tool: &Field<'_>| tool.object()?.need("function")?.object()?.need_text("name");
            let names = tools.iter().map(name).collect::<Result<Vec<_>, Shape>>()?;
            conversation.allow(&names);
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
        "json_schema" => schema_format(format.need("json_schema")?.object()?),
        _ => Err(kind.wrong("is none of text, json_object and json_schema")),
    }
}

/// A schema with its name, which two protocols of OpenAI write the same.
pub(crate) fn schema_format(mut format: Object<'_>) -> Result<Format, Shape> {
    let schema = format.need("schema")?;
    schema.object()?;
    Ok(Format::Schema {
        name: format.text("name")?,
        description: format.text("description")?,
        schema: schema.raw().to_owned(),
        strict: format.flag("strict")?,
    })
}
