//! Both sides speak the same: a request that passes but for the name of its model and the wish for usage, and a stream that
//! passes but for the usage that its client did not ask for.

use super::{Context, Options, Translated};
use crate::Protocol;
use crate::json::{Field, Shape, parse};
use crate::sse::{MAX_EVENT_BYTES, Parser};
use bytes::{Bytes, BytesMut};

/// A request whose text stays as it is around what is replaced in it.
pub(super) fn request(protocol: Protocol, root: &Field<'_>, options: &Options) -> Result<Translated, Shape> {
    let mut object = root.object()?;
    let mut edits = Edits { text: root.raw().get(), done: Vec::new() };
    let (model, stream) = match &options.model {
        Some(model) => (model.clone(), options.stream),
        None => {
            let field = object.need("model")?;
            if let Some(there) = &options.upstream_model {
                edits.replace(&field, quoted(there));
            }
            (field.text()?, object.flag("stream")?.unwrap_or(false))
        }
    };
    let mut hide_usage = false;
    if protocol == Protocol::OpenAi && stream && options.meter {
        hide_usage = edits.ask_for_usage(object.take("stream_options"))?;
    }
    let context = Context {
        client: protocol,
        upstream: protocol,
        model: model.clone(),
        id: options.id.clone(),
        at_seconds: options.at_seconds,
        include_usage: !hide_usage,
        hide_usage,
        show_thoughts: true,
        echo: Vec::new(),
    };
    Ok(Translated { body: edits.applied(), model, stream, dropped: Vec::new(), context })
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Replacements within a text, by the places where they begin and end.
struct Edits<'a> {
    text: &'a str,
    done: Vec<(usize, usize, String)>,
}

impl Edits<'_> {
    fn replace(&mut self, field: &Field<'_>, with: String) {
        let part = field.raw().get();
        // The field is a part of the text, so its place is how far its address is from that of the text.
        let start = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        self.done.push((start, start + part.len(), with));
    }

    fn insert_first(&mut self, object: &str, member: &str) {
        let start = (object.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize) + 1;
        let is_empty = object[1..].trim_start().starts_with('}');
        let comma = if is_empty { "" } else { "," };
        self.done.push((start, start, format!("{member}{comma}")));
    }

    /// Asks for the usage of a stream of chat completions; whether the client had not.
    fn ask_for_usage(&mut self, asked: Option<Field<'_>>) -> Result<bool, Shape> {
        let Some(field) = asked else {
            // A member that is null would stand before this one, and of two the last counts: it goes behind the others.
            let end = self.text.len() - 1;
            self.done.push((end, end, r#","stream_options":{"include_usage":true}"#.into()));
            return Ok(true);
        };
        let mut members = field.object()?;
        match members.take("include_usage") {
            Some(wish) if wish.flag()? => Ok(false),
            Some(wish) => {
                self.replace(&wish, "true".into());
                Ok(true)
            }
            None => {
                self.insert_first(field.raw().get(), r#""include_usage":true"#);
                Ok(true)
            }
        }
    }

    fn applied(mut self) -> Bytes {
        self.done.sort_by_key(|(start, _, _)| *start);
        let mut out = String::with_capacity(self.text.len() + 64);
        let mut at = 0;
        for (start, end, with) in &self.done {
            out.push_str(self.text.get(at..*start).unwrap_or_default());
            out.push_str(with);
            at = *end;
        }
        out.push_str(self.text.get(at..).unwrap_or_default());
        out.into()
    }
}

/// Passes a stream of chat completions event by event, without the one that holds nothing but the usage.
#[derive(Debug, Default)]
pub(super) struct WithoutUsage {
    held: BytesMut,
    /// How much of it holds no end of an event.
    searched: usize,
}

impl WithoutUsage {
    pub fn push(&mut self, bytes: &[u8], out: &mut BytesMut) {
        self.held.extend_from_slice(bytes);
        while let Some(end) = end_of_event(&self.held, self.searched) {
            let event = self.held.split_to(end);
            self.searched = 0;
            if !is_usage_alone(&event) {
                out.extend_from_slice(&event);
            }
        }
        self.searched = self.held.len().saturating_sub(3);
        if self.held.len() > MAX_EVENT_BYTES {
            self.finish(out);
        }
    }

    pub fn finish(&mut self, out: &mut BytesMut) {
        let event = self.held.split();
        self.searched = 0;
        if !is_usage_alone(&event) {
            out.extend_from_slice(&event);
        }
    }
}

/// Where the first event is over: behind an empty line.
fn end_of_event(bytes: &[u8], from: usize) -> Option<usize> {
    let ends: [&[u8]; 3] = [b"\n\n", b"\r\n\r\n", b"\r\r"];
    (from..bytes.len()).find_map(|at| {
        let end = ends.iter().find(|end| bytes[at..].starts_with(end))?;
        Some(at + end.len())
    })
}

/// Whether an event is the chunk behind the last choice, which holds the usage and nothing else.
fn is_usage_alone(event: &[u8]) -> bool {
    let mut events = Vec::new();
    let mut parser = Parser::default();
    if parser.push(event, &mut events).is_err() {
        return false;
    }
    events.extend(parser.finish());
    let [event] = &events[..] else { return false };
    let Ok(raw) = parse(event.data.as_bytes()) else { return false };
    let Ok(mut object) = Field::root(raw).object() else { return false };
    object.take("usage").is_some() && object.list("choices").is_ok_and(|choices| choices.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(protocol: Protocol, body: &str, options: &Options) -> (String, bool) {
        let raw = parse(body.as_bytes()).unwrap();
        let translated = request(protocol, &Field::root(raw), options).unwrap();
        (String::from_utf8(translated.body.to_vec()).unwrap(), translated.context.hide_usage)
    }

    #[test]
    fn a_request_keeps_its_text_around_the_name_of_its_model() {
        let body = r#"{ "b": 1.50, "model" : "small", "messages":[ 12345678901234567890123 ], "stream":false }"#;
        let mut options = Options::new("1", 0);
        assert_eq!(passed(Protocol::Anthropic, body, &options).0, body);
        options.upstream_model = Some("la\"rge".into());
        let renamed = body.replace("\"small\"", r#""la\"rge""#);
        assert_eq!(passed(Protocol::Anthropic, body, &options).0, renamed);
    }

    #[test]
    fn a_stream_is_asked_for_its_usage_once_however_the_client_asked() {
        let options = Options::new("1", 0);
        for (asked, sent, hidden) in [
            (
                r#"{"model":"m","stream":true}"#,
                r#"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#,
                true,
            ),
            (
                r#"{"stream_options":null,"model":"m","stream":true}"#,
                r#"{"stream_options":null,"model":"m","stream":true,"stream_options":{"include_usage":true}}"#,
                true,
            ),
            (
                r#"{"stream_options":{ },"model":"m","stream":true}"#,
                r#"{"stream_options":{"include_usage":true },"model":"m","stream":true}"#,
                true,
            ),
            (
                r#"{"stream_options":{"include_usage":false,"x":1},"model":"m","stream":true}"#,
                r#"{"stream_options":{"include_usage":true,"x":1},"model":"m","stream":true}"#,
                true,
            ),
            (
                r#"{"stream_options":{"include_usage":true},"model":"m","stream":true}"#,
                r#"{"stream_options":{"include_usage":true},"model":"m","stream":true}"#,
                false,
            ),
            (r#"{"model":"m"}"#, r#"{"model":"m"}"#, false),
        ] {
            assert_eq!(passed(Protocol::OpenAi, asked, &options), (sent.to_owned(), hidden));
        }
    }

    #[test]
    fn only_the_usage_is_missing_from_a_stream_that_passes() {
        let before = "data: {\"choices\":[{\"delta\":{}}],\"usage\":null}\r\n\r\n: comment\n\n";
        let usage = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\n\n";
        let stream = format!("{before}{usage}data: [DONE]\n\n");
        for piece in 1..stream.len() {
            let (mut without, mut out) = (WithoutUsage::default(), BytesMut::new());
            stream.as_bytes().chunks(piece).for_each(|bytes| without.push(bytes, &mut out));
            without.finish(&mut out);
            assert_eq!(out, format!("{before}data: [DONE]\n\n"), "pieces of {piece}");
        }
    }
}
