//! Messages as JSON text.

use crate::{Completion, Headers, Invalid, Invocation, Limits, Message, Outcome, Unrepresentable, Value};
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Ends each message. It cannot stand within JSON, where control characters are escaped.
pub(crate) const SEPARATOR: u8 = 0x1e;

/// Everything that a message of any type may have, in any order. Unknown properties are passed over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    r#type: Option<i64>,
    headers: Option<Headers>,
    #[serde(borrow)]
    invocation_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    target: Option<Cow<'a, str>>,
    #[serde(borrow)]
    arguments: Option<Vec<&'a RawValue>>,
    stream_ids: Option<Vec<String>>,
    #[serde(borrow, default, deserialize_with = "present")]
    item: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    error: Option<String>,
    allow_reconnect: Option<bool>,
    sequence_id: Option<u64>,
}

/// What is there counts, also where it is null.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// Where the first separator stands.
pub(crate) fn find_separator(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == SEPARATOR)
}

/// Reads one message without its separator; nothing where its type is unknown.
pub(crate) fn parse(frame: &Bytes, limits: &Limits) -> Result<Option<Message>, Invalid> {
    let text = std::str::from_utf8(frame).map_err(|cause| Invalid::Json(cause.to_string()))?;
    // A list would otherwise be taken for the properties in the order in which they are declared here.
    if !text.trim_start().starts_with('{') {
        return Err(Invalid::Json("a message is an object".into()));
    }
    let record: Record<'_> = serde_json::from_str(text).map_err(|cause| Invalid::Json(cause.to_string()))?;
    Parsed { frame, limits, record }.message()
}

struct Parsed<'a> {
    frame: &'a Bytes,
    limits: &'a Limits,
    record: Record<'a>,
}

impl Parsed<'_> {
    fn message(mut self) -> Result<Option<Message>, Invalid> {
        let message = match self.record.r#type.ok_or(Invalid::Missing("type"))? {
            1 => Message::Invocation(self.invocation()?),
            2 => {
                let item = self.record.item.ok_or(Invalid::Missing("item"))?;
                let item = self.value(item)?;
                Message::StreamItem { invocation_id: self.id()?, headers: self.headers()?, item }
            }
            3 => Message::Completion(self.completion()?),
            4 => {
                let invocation = self.invocation()?;
                if invocation.invocation_id.is_none() {
                    return Err(Invalid::Missing("invocationId"));
                }
                Message::StreamInvocation(invocation)
            }
            5 => Message::CancelInvocation { invocation_id: self.id()?, headers: self.headers()? },
            6 => Message::Ping,
            7 => {
                let allow_reconnect = self.record.allow_reconnect.unwrap_or(false);
                Message::Close { error: self.record.error.take(), allow_reconnect }
            }
            8 => Message::Ack { sequence_id: self.sequence_id()? },
            9 => Message::Sequence { sequence_id: self.sequence_id()? },
            _ => return Ok(None),
        };
        Ok(Some(message))
    }

    fn invocation(&mut self) -> Result<Invocation, Invalid> {
        let invocation_id = match self.record.invocation_id {
            Some(_) => Some(self.id()?),
            None => None,
        };
        let target = self.record.target.take().ok_or(Invalid::Missing("target"))?.into_owned();
        let arguments = self.record.arguments.take().ok_or(Invalid::Missing("arguments"))?;
        let stream_ids = self.record.stream_ids.take().unwrap_or_default();
        within("arguments", arguments.len(), self.limits.arguments)?;
        within("streams", stream_ids.len(), self.limits.streams)?;
        let arguments = arguments.into_iter().map(|argument| self.value(argument)).collect::<Result<_, _>>()?;
        Ok(Invocation { headers: self.headers()?, invocation_id, target, arguments, stream_ids })
    }

    fn completion(&mut self) -> Result<Completion, Invalid> {
        let outcome = match (self.record.result, self.record.error.take()) {
            (Some(_), Some(_)) => return Err(Invalid::ResultAndError),
            (Some(result), None) => Outcome::Value(self.value(result)?),
            (None, Some(error)) => Outcome::Error(error),
            (None, None) => Outcome::Void,
        };
        Ok(Completion { headers: self.headers()?, invocation_id: self.id()?, outcome })
    }

    fn id(&mut self) -> Result<String, Invalid> {
        let id = self.record.invocation_id.take().filter(|id| !id.is_empty());
        id.map(Cow::into_owned).ok_or(Invalid::Missing("invocationId"))
    }

    fn headers(&mut self) -> Result<Headers, Invalid> {
        let headers = self.record.headers.take().unwrap_or_default();
        within("headers", headers.len(), self.limits.headers)?;
        Ok(headers)
    }

    fn sequence_id(&self) -> Result<u64, Invalid> {
        self.record.sequence_id.ok_or(Invalid::Missing("sequenceId"))
    }

    /// The value as it stands in the frame, whose bytes it shares.
    fn value(&self, raw: &RawValue) -> Result<Value, Invalid> {
        let text = raw.get();
        within("levels of nesting", depth(text.as_bytes()), self.limits.depth)?;
        Ok(Value::json(self.frame.slice_ref(text.as_bytes())))
    }
}

pub(crate) fn within(what: &'static str, count: usize, limit: usize) -> Result<(), Invalid> {
    if count > limit { Err(Invalid::Exceeds { what, limit }) } else { Ok(()) }
}

/// How deeply lists and objects are nested in JSON text. The text is passed over without a stack, so its depth is not
/// known to be bounded before somebody counts it.
fn depth(text: &[u8]) -> usize {
    let (mut now, mut deepest, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                now += 1;
                deepest = deepest.max(now);
            }
            b']' | b'}' if !quoted => now = now.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Writes one message with its separator.
pub(crate) fn encode(message: &Message) -> Result<Bytes, Unrepresentable> {
    let mut out = Writer { out: Vec::with_capacity(64) };
    match message {
        Message::Invocation(invocation) => out.invocation(1, invocation)?,
        Message::StreamInvocation(invocation) => out.invocation(4, invocation)?,
        Message::StreamItem { headers, invocation_id, item } => {
            out.begin(2, headers)?;
            out.property("invocationId", invocation_id)?;
            out.value("item", item)?;
        }
        Message::Completion(completion) => {
            out.begin(3, &completion.headers)?;
            out.property("invocationId", &completion.invocation_id)?;
            match &completion.outcome {
                Outcome::Void => {}
                Outcome::Value(value) => out.value("result", value)?,
                Outcome::Error(error) => out.property("error", error)?,
            }
        }
        Message::CancelInvocation { headers, invocation_id } => {
            out.begin(5, headers)?;
            out.property("invocationId", invocation_id)?;
        }
        Message::Ping => out.begin(6, &Headers::new())?,
        Message::Close { error, allow_reconnect } => {
            out.begin(7, &Headers::new())?;
            if let Some(error) = error {
                out.property("error", error)?;
            }
            if *allow_reconnect {
                out.property("allowReconnect", allow_reconnect)?;
            }
        }
        Message::Ack { sequence_id } => out.sequence(8, *sequence_id)?,
        Message::Sequence { sequence_id } => out.sequence(9, *sequence_id)?,
    }
    out.out.extend_from_slice(&[b'}', SEPARATOR]);
    Ok(out.out.into())
}

struct Writer {
    out: Vec<u8>,
}

impl Writer {
    fn begin(&mut self, kind: u8, headers: &Headers) -> Result<(), Unrepresentable> {
        self.out.extend_from_slice(b"{\"type\":");
        self.out.push(b'0' + kind);
        if headers.is_empty() { Ok(()) } else { self.property("headers", headers) }
    }

    fn invocation(&mut self, kind: u8, invocation: &Invocation) -> Result<(), Unrepresentable> {
        self.begin(kind, &invocation.headers)?;
        if let Some(id) = &invocation.invocation_id {
            self.property("invocationId", id)?;
        }
        self.property("target", &invocation.target)?;
        self.name("arguments");
        self.out.push(b'[');
        for (at, argument) in invocation.arguments.iter().enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            self.out.extend_from_slice(&argument.to_json()?);
        }
        self.out.push(b']');
        if invocation.stream_ids.is_empty() {
            return Ok(());
        }
        self.property("streamIds", &invocation.stream_ids)
    }

    fn sequence(&mut self, kind: u8, sequence_id: u64) -> Result<(), Unrepresentable> {
        self.begin(kind, &Headers::new())?;
        self.property("sequenceId", &sequence_id)
    }

    fn value(&mut self, name: &str, value: &Value) -> Result<(), Unrepresentable> {
        self.name(name);
        self.out.extend_from_slice(&value.to_json()?);
        Ok(())
    }

    fn property(&mut self, name: &str, value: &impl Serialize) -> Result<(), Unrepresentable> {
        self.name(name);
        serde_json::to_writer(&mut self.out, value).map_err(|_| Unrepresentable("it has no form in JSON"))
    }

    fn name(&mut self, name: &str) {
        self.out.extend_from_slice(b",\"");
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }
}
