//! What a client asks. Members go by two spellings, as those of every message of Google do.

use super::super::Asked;
use super::super::conversation::{
    Amount, Call, Choice, Conversation, Effort, Format, Media, MediaKind, Outcome, Part, Role, Signature, Source,
    Thinking, Thought, Tool, standard_base64, texts,
};
use super::schema::json_schema;
use crate::Protocol;
use crate::json::{self, Field, Kind, Object, Shape};
use serde_json::value::RawValue;

const ELSEWHERE: &str = "has no counterpart in the protocol of the upstream";

pub(crate) fn read_request(root: &Field<'_>) -> Result<Asked, Shape> {
    let mut object = root.object()?;
    let mut conversation = Conversation { include_usage: true, ..Conversation::default() };
    conversation.model = object.text("model")?.unwrap_or_default();
    for name in ["cachedContent", "cached_content"] {
        object.refuse(name, "names what only its own server has")?;
    }
    if let Some(system) = object.either("systemInstruction", "system_instruction") {
        let parts = read_parts(&system, &mut Calls::default())?;
        conversation.system.extend(texts(&parts).into_iter().map(str::to_owned));
    }
    read_contents(&mut conversation, &object.need("contents")?)?;
    for tool in object.list("tools")? {
        read_tools(&mut conversation, &tool)?;
    }
    if let Some(config) = object.either("toolConfig", "tool_config") {
        read_choice(&mut conversation, config.object()?)?;
    }
    let mut dropped: Vec<String> =
        object.either("safetySettings", "safety_settings").map(|field| field.at().to_owned()).into_iter().collect();
    if let Some(config) = object.either("generationConfig", "generation_config") {
        let mut config = config.object()?;
        read_config(&mut conversation, &mut config)?;
        dropped.extend(config.rest().map(|name| config.place(name)));
    }
    dropped.extend(object.rest().map(str::to_owned));
    Ok(Asked { conversation, dropped, echo: Vec::new() })
}

/// Calls that are not answered yet. Those of this protocol need no id; they are given one by their place.
#[derive(Debug, Default)]
struct Calls {
    count: usize,
    open: Vec<(String, String)>,
}

impl Calls {
    fn begin(&mut self, id: Option<String>, name: &str) -> String {
        let id = id.filter(|id| !id.is_empty()).unwrap_or_else(|| format!("call_{}", self.count));
        self.count += 1;
        self.open.push((id.clone(), name.to_owned()));
        id
    }

    /// The call that an answer is for: by its id, or else the first of that name.
    fn answer(&mut self, id: Option<&str>, name: &str) -> Option<String> {
        let by_id = id.and_then(|id| self.open.iter().position(|(known, _)| known == id));
        let place = by_id.or_else(|| self.open.iter().position(|(_, known)| known == name))?;
        Some(self.open.remove(place).0)
    }
}

fn read_contents(conversation: &mut Conversation, field: &Field<'_>) -> Result<(), Shape> {
    let mut calls = Calls::default();
    let contents = if field.kind() == Kind::Object { vec![field.clone()] } else { field.list()? };
    for content in contents {
        let role = content.object()?.text("role")?;
        let role = match role.as_deref() {
            None | Some("" | "user" | "function" | "tool") => Role::User,
            Some("model") => Role::Assistant,
            Some("system") => {
                let parts = read_parts(&content, &mut calls)?;
                conversation.system.extend(texts(&parts).into_iter().map(str::to_owned));
                continue;
            }
            Some(_) => return Err(content.object()?.wrong("role", "is neither user nor model")),
        };
        let parts = read_parts(&content, &mut calls)?;
        conversation.say(role, parts);
    }
    Ok(())
}

fn read_parts(content: &Field<'_>, calls: &mut Calls) -> Result<Vec<Part>, Shape> {
    if content.kind() == Kind::Text {
        return Ok(vec![Part::Text(content.text()?)]);
    }
    let mut parts = Vec::new();
    for field in content.object()?.list("parts")? {
        read_part(&field, calls, &mut parts)?;
    }
    Ok(parts)
}

fn read_part(field: &Field<'_>, calls: &mut Calls, parts: &mut Vec<Part>) -> Result<(), Shape> {
    let mut part = field.object()?;
    let signature = part.either("thoughtSignature", "thought_signature").map(|field| field.text()).transpose()?;
    let signature = signature.filter(|text| !text.is_empty()).map(|text| Signature::given_back(Protocol::Gemini, text));
    let is_thought = part.flag("thought")?.unwrap_or(false);
    let text = part.text("text")?;
    if let Some(text) = text.clone().filter(|_| is_thought) {
        parts.push(Part::Thought(Thought { text, signature }));
        return Ok(());
    }
    // A proof belongs to the part that it comes with, as if it had been thought before it.
    if signature.is_some() {
        parts.push(Part::Thought(Thought { text: String::new(), signature }));
    }
    if let Some(text) = text {
        parts.extend(Some(text).filter(|text| !text.is_empty()).map(Part::Text));
    } else if let Some(data) = part.either("inlineData", "inline_data") {
        parts.push(Part::Media(read_inline(&data)?));
    } else if let Some(file) = part.either("fileData", "file_data") {
        parts.push(Part::Media(read_file(&file)?));
    } else if let Some(call) = part.either("functionCall", "function_call") {
        let mut call = call.object()?;
        let name = call.need_text("name")?;
        let id = calls.begin(call.text("id")?, &name);
        let arguments = call.object_text("args")?;
        let arguments = arguments.or_else(|| json::object("")).ok_or_else(|| call.wrong("args", "is missing"))?;
        parts.push(Part::Call(Call { id, name, arguments }));
    } else if let Some(outcome) = part.either("functionResponse", "function_response") {
        parts.push(Part::Outcome(read_outcome(&outcome, calls)?));
    } else if let Some(name) = part.rest().next() {
        return Err(part.wrong(name, "is a part that the protocol of the upstream does not know"));
    }
    Ok(())
}

fn kind_of(media_type: &str) -> Option<MediaKind> {
    match media_type.split('/').next() {
        Some("image") => Some(MediaKind::Image),
        Some("audio") => Some(MediaKind::Sound),
        Some("application" | "text") => Some(MediaKind::Document),
        _ => None,
    }
}

fn read_inline(field: &Field<'_>) -> Result<Media, Shape> {
    let mut blob = field.object()?;
    let media_type = blob.either("mimeType", "mime_type").ok_or_else(|| field.wrong("has no mimeType"))?;
    let name = media_type.text()?;
    let kind = kind_of(&name).ok_or_else(|| media_type.wrong("is a kind of media that cannot be passed on"))?;
    let source = Source::Inline(standard_base64(&blob.need_text("data")?));
    let at = field.at().to_owned();
    Ok(Media { kind, media_type: Some(name), source, detail: None, name: None, at })
}

fn read_file(field: &Field<'_>) -> Result<Media, Shape> {
    let mut file = field.object()?;
    let url = file.either("fileUri", "file_uri").ok_or_else(|| field.wrong("has no fileUri"))?.text()?;
    let media_type = file.either("mimeType", "mime_type").map(|name| name.text()).transpose()?;
    let kind = media_type.as_deref().map_or(Some(MediaKind::Image), kind_of);
    let kind = kind.ok_or_else(|| field.wrong("is a kind of media that cannot be passed on"))?;
    Ok(Media { kind, media_type, source: Source::Url(url), detail: None, name: None, at: field.at().to_owned() })
}

fn read_outcome(field: &Field<'_>, calls: &mut Calls) -> Result<Outcome, Shape> {
    let mut outcome = field.object()?;
    let name = outcome.need_text("name")?;
    let id = outcome.text("id")?;
    let call = calls.answer(id.as_deref(), &name).ok_or_else(|| field.wrong("answers no call that was made"))?;
    let (text, failed) = match outcome.take("response") {
        Some(response) => read_response(&response)?,
        None => (String::new(), false),
    };
    let mut parts: Vec<Part> = Some(text).filter(|text| !text.is_empty()).map(Part::Text).into_iter().collect();
    for shown in outcome.list("parts")? {
        if let Some(data) = shown.object()?.either("inlineData", "inline_data") {
            parts.push(Part::Media(read_inline(&data)?));
        }
    }
    Ok(Outcome { call, name: Some(name), parts, failed, at: field.at().to_owned() })
}

/// What a function answered. One member with a text in it, under the names that are usual for it, is that text.
fn read_response(field: &Field<'_>) -> Result<(String, bool), Shape> {
    let mut object = field.object()?;
    let mut members = object.take_rest();
    if let [(name, raw)] = &mut members[..]
        && matches!(&**name, "output" | "result" | "error")
    {
        let only = field.inside(name, raw);
        let text = if only.kind() == Kind::Text { only.text()? } else { raw.get().to_owned() };
        return Ok((text, name == "error"));
    }
    Ok((field.raw().get().to_owned(), false))
}

fn read_tools(conversation: &mut Conversation, field: &Field<'_>) -> Result<(), Shape> {
    let mut tool = field.object()?;
    let functions = tool.either("functionDeclarations", "function_declarations");
    if let Some(name) = tool.rest().next() {
        return Err(tool.wrong(name, "is a tool of Google's own, which the upstream does not have"));
    }
    for function in functions.map_or_else(|| Ok(Vec::new()), |functions| functions.list())? {
        let mut function = function.object()?;
        let name = function.need_text("name")?;
        let description = function.text("description")?;
        let schema = function.either("parametersJsonSchema", "parameters_json_schema");
        let parameters = match (schema, function.take("parameters")) {
            (Some(schema), _) => Some(schema.raw().to_owned()),
            (None, Some(parameters)) => Some(raw(&parameters)?),
            (None, None) => None,
        };
        conversation.tools.push(Tool { name, description, parameters, strict: None });
    }
    Ok(())
}

fn raw(schema: &Field<'_>) -> Result<Box<RawValue>, Shape> {
    RawValue::from_string(json_schema(schema)?.to_text()).map_err(|cause| schema.wrong(cause.to_string()))
}

fn read_choice(conversation: &mut Conversation, mut config: Object<'_>) -> Result<(), Shape> {
    let Some(calling) = config.either("functionCallingConfig", "function_calling_config") else { return Ok(()) };
    let mut calling = calling.object()?;
    let allowed = calling.either("allowedFunctionNames", "allowed_function_names");
    let mut allowed = allowed.map_or_else(|| Ok(Vec::new()), |names| names.texts())?;
    let mode = calling.text("mode")?.unwrap_or_default();
    conversation.choice = match &*mode.to_ascii_uppercase() {
        "" | "MODE_UNSPECIFIED" | "AUTO" => Some(Choice::Auto),
        "NONE" => Some(Choice::None),
        "ANY" if allowed.len() == 1 => Some(Choice::Named(allowed.remove(0))),
        "ANY" => Some(Choice::Any),
        "VALIDATED" => Some(Choice::Auto),
        _ => return Err(calling.wrong("mode", "is none of AUTO, ANY, NONE and VALIDATED")),
    };
    if !allowed.is_empty() {
        conversation.allow(&allowed);
    }
    Ok(())
}

fn read_config(conversation: &mut Conversation, config: &mut Object<'_>) -> Result<(), Shape> {
    if let Some(several) = config.either("candidateCount", "candidate_count")
        && several.count()? > 1
    {
        return Err(several.wrong("is more than one answer, which the protocol of the upstream does not give"));
    }
    for name in ["responseLogprobs", "response_logprobs", "logprobs", "speechConfig", "speech_config"] {
        config.refuse(name, ELSEWHERE)?;
    }
    if let Some(modalities) = config.either("responseModalities", "response_modalities")
        && modalities.texts()?.iter().any(|name| !name.eq_ignore_ascii_case("text"))
    {
        return Err(modalities.wrong("asks for more than text"));
    }
    let sampling = &mut conversation.sampling;
    sampling.temperature = config.number("temperature")?;
    sampling.top_p = number(config, "topP", "top_p")?;
    sampling.top_k = whole(config.either("topK", "top_k"))?;
    sampling.presence_penalty = number(config, "presencePenalty", "presence_penalty")?;
    sampling.frequency_penalty = number(config, "frequencyPenalty", "frequency_penalty")?;
    sampling.seed = config.number("seed")?;
    let tokens = config.either("maxOutputTokens", "max_output_tokens");
    conversation.max_tokens = tokens.map(|tokens| tokens.count()).transpose()?;
    if let Some(stop) = config.either("stopSequences", "stop_sequences") {
        conversation.stop = stop.texts()?;
    }
    read_format(conversation, config)?;
    if let Some(thinking) = config.either("thinkingConfig", "thinking_config") {
        conversation.thinking = Some(read_thinking(thinking.object()?)?);
    }
    Ok(())
}

fn number(config: &mut Object<'_>, name: &str, other: &str) -> Result<Option<Box<RawValue>>, Shape> {
    config.either(name, other).map(|field| field.number()).transpose()
}

/// A whole number that may be written with a point, which others do not take.
fn whole(field: Option<Field<'_>>) -> Result<Option<Box<RawValue>>, Shape> {
    let Some(field) = field else { return Ok(None) };
    let count = field.count()?;
    RawValue::from_string(count.to_string()).map(Some).map_err(|cause| field.wrong(cause.to_string()))
}

fn read_format(conversation: &mut Conversation, config: &mut Object<'_>) -> Result<(), Shape> {
    let schema = config.either("responseSchema", "response_schema");
    let json = config.either("responseJsonSchema", "response_json_schema");
    let Some(media_type) = config.either("responseMimeType", "response_mime_type") else { return Ok(()) };
    conversation.format = match (&*media_type.text()?, json, schema) {
        ("text/plain", _, _) => Format::Text,
        ("application/json", Some(schema), _) => named(schema.raw().to_owned()),
        ("application/json", None, Some(schema)) => named(raw(&schema)?),
        ("application/json", None, None) => Format::Json,
        _ => return Err(media_type.wrong("is neither text/plain nor application/json")),
    };
    Ok(())
}

fn named(schema: Box<RawValue>) -> Format {
    Format::Schema { name: None, description: None, schema, strict: None }
}

fn read_thinking(mut thinking: Object<'_>) -> Result<Thinking, Shape> {
    let shown = thinking.either("includeThoughts", "include_thoughts").map(|field| field.flag()).transpose()?;
    let shown = Some(shown.unwrap_or(false));
    if let Some(level) = thinking.either("thinkingLevel", "thinking_level") {
        let name = level.text()?.to_ascii_lowercase();
        let effort = Effort::named(&name).map(Amount::Effort);
        let amount = if name.ends_with("unspecified") { Some(Amount::Auto) } else { effort };
        return Ok(Thinking { amount: amount.ok_or_else(|| level.wrong("is no level"))?, shown });
    }
    let amount = match thinking.either("thinkingBudget", "thinking_budget") {
        None => Amount::Auto,
        Some(budget) if budget.raw().get() == "-1" => Amount::Auto,
        Some(budget) => match budget.count()? {
            0 => Amount::Off,
            tokens => Amount::Budget(tokens),
        },
    };
    Ok(Thinking { amount, shown })
}
