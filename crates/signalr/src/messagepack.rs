//! Messages as MessagePack: a length, and a list whose first item is the type.

use crate::json::within;
use crate::pack::{Cursor, Item};
use crate::{Completion, Headers, Invalid, Invocation, Limits, Message, Outcome, Unrepresentable, Value};
use bytes::{Buf, Bytes, BytesMut};
use rmp::encode;

/// Most bytes of a length: 31 bits, seven in each byte.
const MAX_PREFIX_BYTES: usize = 5;

const ERROR: u64 = 1;
const VOID: u64 = 2;
const VALUE: u64 = 3;

/// Takes one message off the buffer, without its length; nothing where it is not whole yet.
pub(crate) fn split(buffer: &mut BytesMut, limits: &Limits) -> Result<Option<Bytes>, Invalid> {
    let limit_bytes = limits.message_bytes;
    let Some((length, prefix)) = length(buffer)? else {
        return Ok(None);
    };
    if length > limit_bytes {
        return Err(Invalid::TooLarge { limit_bytes });
    }
    if buffer.len() < prefix + length {
        return Ok(None);
    }
    buffer.advance(prefix);
    Ok(Some(buffer.split_to(length).freeze()))
}

/// The length that the buffer begins with, and of how many bytes it consists.
fn length(buffer: &[u8]) -> Result<Option<(usize, usize)>, Invalid> {
    let mut length = 0_u64;
    for (at, byte) in buffer.iter().take(MAX_PREFIX_BYTES).enumerate() {
        length |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            let small = i32::try_from(length).ok().and_then(|length| usize::try_from(length).ok());
            let length = small.ok_or(Invalid::MessagePack("messages over 2 GB are not supported"))?;
            return Ok(Some((length, at + 1)));
        }
    }
    if buffer.len() >= MAX_PREFIX_BYTES {
        return Err(Invalid::MessagePack("a length has five bytes at most"));
    }
    Ok(None)
}

/// Reads one message; nothing where its type is unknown. What stands behind the items that are known is passed over.
pub(crate) fn parse(frame: &Bytes, limits: &Limits) -> Result<Option<Message>, Invalid> {
    let mut cursor = Cursor::new(frame);
    let Item::List(left) = cursor.item()? else {
        return Err(Invalid::MessagePack("a message is a list"));
    };
    let mut items = Items { frame, cursor, left, limits };
    let Item::Unsigned(kind) = items.next("type")? else {
        return Err(Invalid::Mistyped("type"));
    };
    let message = match kind {
        1 => Message::Invocation(items.invocation()?),
        2 => Message::StreamItem { headers: items.headers()?, invocation_id: items.id()?, item: items.value("item")? },
        3 => Message::Completion(items.completion()?),
        4 => {
            let invocation = items.invocation()?;
            if invocation.invocation_id.is_none() {
                return Err(Invalid::Missing("invocationId"));
            }
            Message::StreamInvocation(invocation)
        }
        5 => Message::CancelInvocation { headers: items.headers()?, invocation_id: items.id()? },
        6 => Message::Ping,
        7 => {
            let error = items.optional_text("error")?.map(str::to_owned);
            Message::Close { error, allow_reconnect: items.allow_reconnect()? }
        }
        8 => Message::Ack { sequence_id: items.sequence_id()? },
        9 => Message::Sequence { sequence_id: items.sequence_id()? },
        _ => return Ok(None),
    };
    Ok(Some(message))
}

/// The items of a message that are still to be read.
struct Items<'a> {
    frame: &'a Bytes,
    cursor: Cursor<'a>,
    left: usize,
    limits: &'a Limits,
}

impl<'a> Items<'a> {
    fn begin(&mut self, name: &'static str) -> Result<(), Invalid> {
        self.left = self.left.checked_sub(1).ok_or(Invalid::Missing(name))?;
        Ok(())
    }

    fn next(&mut self, name: &'static str) -> Result<Item<'a>, Invalid> {
        self.begin(name)?;
        self.cursor.item()
    }

    fn invocation(&mut self) -> Result<Invocation, Invalid> {
        let headers = self.headers()?;
        let invocation_id = self.optional_text("invocationId")?.map(str::to_owned);
        if invocation_id.as_deref() == Some("") {
            return Err(Invalid::Missing("invocationId"));
        }
        let target = self.text("target")?.to_owned();
        let arguments = self.list("arguments", self.limits.arguments)?;
        let arguments = (0..arguments).map(|_| self.raw()).collect::<Result<_, _>>()?;
        let streams = if self.left == 0 { 0 } else { self.list("streams", self.limits.streams)? };
        let stream_ids = (0..streams).map(|_| self.within_text("streamIds")).collect::<Result<_, _>>()?;
        Ok(Invocation { headers, invocation_id, target, arguments, stream_ids })
    }

    fn completion(&mut self) -> Result<Completion, Invalid> {
        let (headers, invocation_id) = (self.headers()?, self.id()?);
        let outcome = match self.next("resultKind")? {
            Item::Unsigned(ERROR) => Outcome::Error(self.text("error")?.to_owned()),
            Item::Unsigned(VOID) => Outcome::Void,
            Item::Unsigned(VALUE) => Outcome::Value(self.value("result")?),
            _ => return Err(Invalid::Mistyped("resultKind")),
        };
        Ok(Completion { headers, invocation_id, outcome })
    }

    fn headers(&mut self) -> Result<Headers, Invalid> {
        let Item::Map(length) = self.next("headers")? else {
            return Err(Invalid::Mistyped("headers"));
        };
        within("headers", length, self.limits.headers)?;
        (0..length).map(|_| Ok((self.within_text("headers")?, self.within_text("headers")?))).collect()
    }

    fn id(&mut self) -> Result<String, Invalid> {
        let id = self.text("invocationId")?;
        if id.is_empty() { Err(Invalid::Missing("invocationId")) } else { Ok(id.to_owned()) }
    }

    fn text(&mut self, name: &'static str) -> Result<&'a str, Invalid> {
        self.optional_text(name)?.ok_or(Invalid::Mistyped(name))
    }

    fn optional_text(&mut self, name: &'static str) -> Result<Option<&'a str>, Invalid> {
        match self.next(name)? {
            Item::Text(text) => Ok(Some(text)),
            Item::Nil => Ok(None),
            _ => Err(Invalid::Mistyped(name)),
        }
    }

    fn list(&mut self, name: &'static str, limit: usize) -> Result<usize, Invalid> {
        let Item::List(length) = self.next(name)? else {
            return Err(Invalid::Mistyped(name));
        };
        within(name, length, limit)?;
        Ok(length)
    }

    /// A text within an item.
    fn within_text(&mut self, name: &'static str) -> Result<String, Invalid> {
        match self.cursor.item()? {
            Item::Text(text) => Ok(text.to_owned()),
            _ => Err(Invalid::Mistyped(name)),
        }
    }

    fn value(&mut self, name: &'static str) -> Result<Value, Invalid> {
        self.begin(name)?;
        self.raw()
    }

    /// The next value as it stands in the frame, whose bytes it shares.
    fn raw(&mut self) -> Result<Value, Invalid> {
        let bytes = self.cursor.skip(self.limits.depth)?;
        Ok(Value::messagepack(self.frame.slice_ref(bytes)))
    }

    fn allow_reconnect(&mut self) -> Result<bool, Invalid> {
        if self.left == 0 {
            return Ok(false);
        }
        match self.next("allowReconnect")? {
            Item::Bool(allow) => Ok(allow),
            _ => Err(Invalid::Mistyped("allowReconnect")),
        }
    }

    fn sequence_id(&mut self) -> Result<u64, Invalid> {
        match self.next("sequenceId")? {
            Item::Unsigned(id) => Ok(id),
            _ => Err(Invalid::Mistyped("sequenceId")),
        }
    }
}

/// Writes one message with its length.
pub(crate) fn encode(message: &Message) -> Result<Bytes, Unrepresentable> {
    let mut body = Vec::with_capacity(64);
    write(&mut body, message)?;
    let mut out = Vec::with_capacity(body.len() + MAX_PREFIX_BYTES);
    let mut length = body.len();
    while length > 0x7f {
        out.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(&body);
    Ok(out.into())
}

fn write(out: &mut Vec<u8>, message: &Message) -> Result<(), Unrepresentable> {
    match message {
        Message::Invocation(invocation) => write_invocation(out, 1, invocation),
        Message::StreamInvocation(invocation) => write_invocation(out, 4, invocation),
        Message::StreamItem { headers, invocation_id, item } => {
            begin(out, 4, 2)?;
            write_headers(out, headers)?;
            text(out, invocation_id)?;
            value(out, item)
        }
        Message::Completion(completion) => write_completion(out, completion),
        Message::CancelInvocation { headers, invocation_id } => {
            begin(out, 3, 5)?;
            write_headers(out, headers)?;
            text(out, invocation_id)
        }
        Message::Ping => begin(out, 1, 6),
        Message::Close { error, allow_reconnect } => {
            begin(out, 3, 7)?;
            optional_text(out, error.as_deref())?;
            sure(encode::write_bool(out, *allow_reconnect))
        }
        Message::Ack { sequence_id } => write_sequence(out, 8, *sequence_id),
        Message::Sequence { sequence_id } => write_sequence(out, 9, *sequence_id),
    }
}

fn write_invocation(out: &mut Vec<u8>, kind: u8, invocation: &Invocation) -> Result<(), Unrepresentable> {
    begin(out, 6, kind)?;
    write_headers(out, &invocation.headers)?;
    optional_text(out, invocation.invocation_id.as_deref())?;
    text(out, &invocation.target)?;
    list(out, invocation.arguments.len())?;
    for argument in &invocation.arguments {
        value(out, argument)?;
    }
    list(out, invocation.stream_ids.len())?;
    invocation.stream_ids.iter().try_for_each(|id| text(out, id))
}

fn write_completion(out: &mut Vec<u8>, completion: &Completion) -> Result<(), Unrepresentable> {
    let (items, kind) = match completion.outcome {
        Outcome::Void => (4, VOID),
        Outcome::Error(_) => (5, ERROR),
        Outcome::Value(_) => (5, VALUE),
    };
    begin(out, items, 3)?;
    write_headers(out, &completion.headers)?;
    text(out, &completion.invocation_id)?;
    unsigned(out, kind)?;
    match &completion.outcome {
        Outcome::Void => Ok(()),
        Outcome::Error(error) => text(out, error),
        Outcome::Value(result) => value(out, result),
    }
}

fn write_sequence(out: &mut Vec<u8>, kind: u8, sequence_id: u64) -> Result<(), Unrepresentable> {
    begin(out, 2, kind)?;
    unsigned(out, sequence_id)
}

fn write_headers(out: &mut Vec<u8>, headers: &Headers) -> Result<(), Unrepresentable> {
    sure(encode::write_map_len(out, size(headers.len())?))?;
    headers.iter().try_for_each(|(name, value)| {
        text(out, name)?;
        text(out, value)
    })
}

fn begin(out: &mut Vec<u8>, items: usize, kind: u8) -> Result<(), Unrepresentable> {
    list(out, items)?;
    unsigned(out, kind.into())
}

fn value(out: &mut Vec<u8>, value: &Value) -> Result<(), Unrepresentable> {
    out.extend_from_slice(&value.to_messagepack()?);
    Ok(())
}

fn list(out: &mut Vec<u8>, length: usize) -> Result<(), Unrepresentable> {
    sure(encode::write_array_len(out, size(length)?))
}

fn text(out: &mut Vec<u8>, text: &str) -> Result<(), Unrepresentable> {
    size(text.len())?;
    sure(encode::write_str(out, text))
}

fn optional_text(out: &mut Vec<u8>, given: Option<&str>) -> Result<(), Unrepresentable> {
    match given {
        Some(given) => text(out, given),
        None => sure(encode::write_nil(out)),
    }
}

fn unsigned(out: &mut Vec<u8>, number: u64) -> Result<(), Unrepresentable> {
    sure(encode::write_uint(out, number))
}

/// A length as the format holds it.
pub(crate) fn size(length: usize) -> Result<u32, Unrepresentable> {
    u32::try_from(length).map_err(|_| Unrepresentable("it is longer than MessagePack can say"))
}

/// Writing into memory does not fail; where it did, the value would be incomplete.
pub(crate) fn sure<T, E>(written: Result<T, E>) -> Result<(), Unrepresentable> {
    written.map(drop).map_err(|_| Unrepresentable("it could not be written"))
}
