//! What a client asks.

use super::super::Asked;
use super::super::conversation::{
    Amount, Choice, Conversation, Effort, Format, Media, MediaKind, Outcome, Part, Role, Signature, Source, Thinking,
    Thought, Tool,
};
use super::answer::read_call;
use crate::Protocol;
use crate::json::{Field, Kind, Object, Shape};

pub(crate) fn read_request(root: &Field<'_>) -> Result<Asked, Shape> {
    let mut object = root.object()?;
    let mut conversation = Conversation { model: object.need_text("model")?, ..Conversation::default() };
    for name in ["container", "mcp_servers", "context_management"] {
        object.refuse(name, "has no counterpart in the protocol of the upstream")?;
    }
    if let Some(system) = object.take("system") {
        conversation.system = read_system(&system)?;
    }
    for message in object.need("messages")?.list()? {
        read_message(&mut conversation, &message)?;
    }
    for tool in object.list("tools")? {
        conversation.tools.push(read_tool(&tool)?);
    }
    if let Some(choice) = object.object("tool_choice")? {
        read_choice(&mut conversation, choice)?;
    }
    let sampling = &mut conversation.sampling;
    sampling.temperature = object.number("temperature")?;
    sampling.top_p = object.number("top_p")?;
    sampling.top_k = object.number("top_k")?;
    conversation.max_tokens = object.count("max_tokens")?;
    conversation.stop = object.take("stop_sequences").map_or_else(|| Ok(Vec::new()), |stop| stop.texts())?;
    let mut output = object.object("output_config")?;
    let inner = output.as_mut().and_then(|output| output.take("format"));
    if let Some(format) = object.take("output_format").or(inner) {
        conversation.format = read_format(&format)?;
    }
    let effort = output.as_mut().and_then(|output| output.take("effort"));
    conversation.thinking = read_thinking(object.object("thinking")?, effort.as_ref())?;
    conversation.stream = object.flag("stream")?.unwrap_or(false);
    conversation.include_usage = true;
    if let Some(mut metadata) = object.object("metadata")? {
        conversation.user = metadata.text("user_id")?;
    }
    Ok(Asked { conversation, dropped: object.rest().map(str::to_owned).collect(), echo: Vec::new() })
}

fn read_system(field: &Field<'_>) -> Result<Vec<String>, Shape> {
    if field.kind() == Kind::Text {
        return Ok(vec![field.text()?]);
    }
    field.list()?.iter().map(|block| block.object()?.need_text("text")).collect()
}

fn read_message(conversation: &mut Conversation, field: &Field<'_>) -> Result<(), Shape> {
    let mut message = field.object()?;
    let role = match &*message.need_text("role")? {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => {
            conversation.system.extend(read_system(&message.need("content")?)?);
            return Ok(());
        }
        _ => return Err(message.wrong("role", "is neither user nor assistant")),
    };
    let content = message.need("content")?;
    let parts = if content.kind() == Kind::Text {
        vec![Part::Text(content.text()?)]
    } else {
        let blocks = content.list()?;
        blocks.iter().filter_map(|block| read_block(block).transpose()).collect::<Result<Vec<_>, _>>()?
    };
    conversation.say(role, parts);
    Ok(())
}

/// A block; nothing where it is only of use to the upstream that wrote it.
fn read_block(field: &Field<'_>) -> Result<Option<Part>, Shape> {
    let mut block = field.object()?;
    let kind = block.need("type")?;
    Ok(Some(match &*kind.text()? {
        "text" => Part::Text(block.need_text("text")?),
        "image" => Part::Media(read_media(MediaKind::Image, &mut block)?),
        "document" => return read_document(&mut block).map(Some),
        "tool_use" => Part::Call(read_call(&mut block)?),
        "tool_result" => Part::Outcome(read_outcome(&mut block)?),
        "thinking" => {
            let signature = block.text("signature")?.filter(|signature| !signature.is_empty());
            let signature = signature.map(|text| Signature::given_back(Protocol::Anthropic, text));
            Part::Thought(Thought { text: block.text("thinking")?.unwrap_or_default(), signature })
        }
        "redacted_thinking" => return Ok(None),
        _ => return Err(kind.wrong("is a block that the protocol of the upstream does not know")),
    }))
}

fn read_media(kind: MediaKind, block: &mut Object<'_>) -> Result<Media, Shape> {
    let field = block.need("source")?;
    let mut source = field.object()?;
    let kind_of_source = source.need("type")?;
    let (media_type, content) = match &*kind_of_source.text()? {
        "base64" => (Some(source.need_text("media_type")?), Source::Inline(source.need_text("data")?)),
        "url" => (None, Source::Url(source.need_text("url")?)),
        _ => return Err(kind_of_source.wrong("is neither base64 nor url, which is all that can be passed on")),
    };
    let name = block.text("title")?;
    Ok(Media { kind, media_type, source: content, detail: None, name, at: field.at().to_owned() })
}

/// A document; one of plain text is as good as the text.
fn read_document(block: &mut Object<'_>) -> Result<Part, Shape> {
    let field = block.need("source")?;
    let mut source = field.object()?;
    if source.need_text("type")? == "text" {
        return source.need_text("data").map(Part::Text);
    }
    let mut again = Field::object(&field)?;
    let kind_of_source = again.need("type")?;
    let (media_type, content) = match &*kind_of_source.text()? {
        "base64" => (Some(again.need_text("media_type")?), Source::Inline(again.need_text("data")?)),
        "url" => (Some("application/pdf".to_owned()), Source::Url(again.need_text("url")?)),
        _ => return Err(kind_of_source.wrong("is none of base64, text and url, which is all that can be passed on")),
    };
    let (name, at) = (block.text("title")?, field.at().to_owned());
    Ok(Part::Media(Media { kind: MediaKind::Document, media_type, source: content, detail: None, name, at }))
}

fn read_outcome(block: &mut Object<'_>) -> Result<Outcome, Shape> {
    let call = block.need_text("tool_use_id")?;
    let failed = block.flag("is_error")?.unwrap_or(false);
    let at = block.place("content");
    let parts = match block.take("content") {
        None => Vec::new(),
        Some(content) if content.kind() == Kind::Text => vec![Part::Text(content.text()?)],
        Some(content) => {
            let blocks = content.list()?;
            blocks.iter().map(read_shown).collect::<Result<Vec<_>, _>>()?
        }
    };
    Ok(Outcome { call, name: None, parts, failed, at })
}

/// What a tool shows: texts and media.
fn read_shown(field: &Field<'_>) -> Result<Part, Shape> {
    let mut block = field.object()?;
    let kind = block.need("type")?;
    match &*kind.text()? {
        "text" => block.need_text("text").map(Part::Text),
        "image" => read_media(MediaKind::Image, &mut block).map(Part::Media),
        "document" => read_document(&mut block),
        _ => Err(kind.wrong("is none of text, image and document")),
    }
}

fn read_tool(field: &Field<'_>) -> Result<Tool, Shape> {
    let mut tool = field.object()?;
    if let Some(kind) = tool.take("type")
        && kind.text()? != "custom"
    {
        return Err(kind.wrong("is a tool of Anthropic's own, which the upstream does not have"));
    }
    Ok(Tool {
        name: tool.need_text("name")?,
        description: tool.text("description")?,
        parameters: tool.object_text("input_schema")?,
        strict: tool.flag("strict")?,
    })
}

fn read_choice(conversation: &mut Conversation, mut choice: Object<'_>) -> Result<(), Shape> {
    let kind = choice.need("type")?;
    conversation.choice = Some(match &*kind.text()? {
        "auto" => Choice::Auto,
        "any" => Choice::Any,
        "none" => Choice::None,
        "tool" => Choice::Named(choice.need_text("name")?),
        _ => return Err(kind.wrong("is none of auto, any, none and tool")),
    });
    conversation.parallel_calls = choice.flag("disable_parallel_tool_use")?.map(|disabled| !disabled);
    Ok(())
}

fn read_format(field: &Field<'_>) -> Result<Format, Shape> {
    let mut format = field.object()?;
    let kind = format.need("type")?;
    if kind.text()? != "json_schema" {
        return Err(kind.wrong("is not json_schema"));
    }
    let schema = format.object_text("schema")?.ok_or_else(|| format.wrong("schema", "is missing"))?;
    Ok(Format::Schema { name: None, description: None, schema, strict: Some(true) })
}

fn read_thinking(thinking: Option<Object<'_>>, effort: Option<&Field<'_>>) -> Result<Option<Thinking>, Shape> {
    let effort = match effort {
        Some(field) => {
            let name = field.text()?;
            Some(Effort::named(&name).ok_or_else(|| field.wrong("is no effort"))?)
        }
        None => None,
    };
    let by_effort = effort.map_or(Amount::Auto, Amount::Effort);
    let Some(mut thinking) = thinking else {
        // Without thinking, the effort says how much is said; other protocols know it only as how much is thought.
        return Ok(effort.map(|_| Thinking { amount: by_effort, shown: Some(false) }));
    };
    let kind = thinking.need("type")?;
    let shown = Some(thinking.text("display")?.as_deref() != Some("omitted"));
    Ok(Some(match &*kind.text()? {
        "disabled" => Thinking { amount: Amount::Off, shown: Some(false) },
        "enabled" => Thinking { amount: Amount::Budget(thinking.need("budget_tokens")?.count()?), shown },
        "adaptive" | "between_tools" => Thinking { amount: by_effort, shown },
        _ => return Err(kind.wrong("is none of adaptive, enabled and disabled")),
    }))
}
