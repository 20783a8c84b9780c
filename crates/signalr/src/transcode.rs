//! Values from one protocol to the other.

use crate::Unrepresentable;
use crate::messagepack::{size, sure};
use crate::pack::{Cursor, Item};
use crate::timestamp;
use bytes::Bytes;
use rmp::encode;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Deepest nesting that is converted: more than a reader takes, and little enough for the stack.
const MAX_DEPTH: usize = 100;
/// The extension that the format reserves for timestamps.
const TIMESTAMP: i8 = -1;
const TOO_DEEP: Unrepresentable = Unrepresentable("it is nested too deeply");

/// Writes a MessagePack value as JSON.
pub(crate) fn to_json(bytes: &[u8]) -> Result<Bytes, Unrepresentable> {
    let mut out = Vec::with_capacity(bytes.len() * 2);
    write_json(&mut Cursor::new(bytes), &mut out, 0)?;
    Ok(out.into())
}

fn write_json(cursor: &mut Cursor<'_>, out: &mut Vec<u8>, depth: usize) -> Result<(), Unrepresentable> {
    if depth > MAX_DEPTH {
        return Err(TOO_DEEP);
    }
    match next(cursor)? {
        Item::Nil => out.extend_from_slice(b"null"),
        Item::Bool(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
        Item::Unsigned(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Item::Negative(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Item::Float(number) if number.is_finite() => json_scalar(out, &number)?,
        Item::Float(_) => return Err(Unrepresentable("JSON has no number that is not finite")),
        Item::Text(text) => json_scalar(out, text)?,
        Item::Binary(bytes) => json_scalar(out, &base64(bytes))?,
        Item::Extension(TIMESTAMP, bytes) => {
            let text = timestamp::to_text(bytes).ok_or(Unrepresentable("its timestamp is none"))?;
            json_scalar(out, &text)?;
        }
        Item::Extension(..) => return Err(Unrepresentable("JSON has no form for its extension")),
        Item::List(length) => {
            out.push(b'[');
            for at in 0..length {
                comma(out, at);
                write_json(cursor, out, depth + 1)?;
            }
            out.push(b']');
        }
        Item::Map(length) => {
            out.push(b'{');
            for at in 0..length {
                comma(out, at);
                write_key(next(cursor)?, out)?;
                out.push(b':');
                write_json(cursor, out, depth + 1)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn next<'a>(cursor: &mut Cursor<'a>) -> Result<Item<'a>, Unrepresentable> {
    // Values are looked through when they are read, so this does not happen.
    cursor.item().map_err(|_| Unrepresentable("it is not MessagePack"))
}

fn write_key(key: Item<'_>, out: &mut Vec<u8>) -> Result<(), Unrepresentable> {
    match key {
        Item::Text(text) => json_scalar(out, text),
        Item::Unsigned(number) => json_scalar(out, &number.to_string()),
        Item::Negative(number) => json_scalar(out, &number.to_string()),
        _ => Err(Unrepresentable("keys of JSON are text")),
    }
}

fn comma(out: &mut Vec<u8>, at: usize) {
    if at > 0 {
        out.push(b',');
    }
}

fn json_scalar<T: serde::Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> Result<(), Unrepresentable> {
    sure(serde_json::to_writer(out, value))
}

/// Standard base64 with padding, as peers write binary data in JSON.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().enumerate().fold(0_u32, |word, (at, byte)| word | u32::from(*byte) << (16 - 8 * at));
        for at in 0..4 {
            let index = (word >> (18 - 6 * at)) as usize & 0x3f;
            text.push(if at <= chunk.len() { char::from(ALPHABET[index]) } else { '=' });
        }
    }
    text
}

/// Writes a JSON value as MessagePack, each number in its shortest form.
pub(crate) fn to_messagepack(text: &[u8]) -> Result<Bytes, Unrepresentable> {
    let mut out = Vec::with_capacity(text.len());
    let mut json = serde_json::Deserializer::from_slice(text);
    // Text was looked through when it was read, so what fails here is its depth.
    Packer { out: &mut out }.deserialize(&mut json).map_err(|_| TOO_DEEP)?;
    Ok(out.into())
}

struct Packer<'a> {
    out: &'a mut Vec<u8>,
}

impl Packer<'_> {
    fn done<E: serde::de::Error>(written: Result<(), Unrepresentable>) -> Result<(), E> {
        written.map_err(E::custom)
    }

    /// Puts the header of a list or a map before its values, whose number JSON does not tell beforehand.
    fn head<E: serde::de::Error>(self, start: usize, head: Vec<u8>) -> Result<(), E> {
        self.out.splice(start..start, head);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Packer<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Packer<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Self::done(sure(encode::write_nil(self.out)))
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        Self::done(sure(encode::write_bool(self.out, value)))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        Self::done(sure(encode::write_uint(self.out, value)))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        Self::done(sure(encode::write_sint(self.out, value)))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        Self::done(sure(encode::write_f64(self.out, value)))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        Self::done(sure(encode::write_str(self.out, value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let (start, mut length, mut head) = (self.out.len(), 0, Vec::new());
        while list.next_element_seed(Packer { out: self.out })?.is_some() {
            length += 1;
        }
        Self::done(size(length).and_then(|length| sure(encode::write_array_len(&mut head, length))))?;
        self.head(start, head)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (start, mut length, mut head) = (self.out.len(), 0, Vec::new());
        while map.next_key_seed(Packer { out: self.out })?.is_some() {
            map.next_value_seed(Packer { out: self.out })?;
            length += 1;
        }
        Self::done(size(length).and_then(|length| sure(encode::write_map_len(&mut head, length))))?;
        self.head(start, head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(bytes: &[u8]) -> Result<String, Unrepresentable> {
        to_json(bytes).map(|text| String::from_utf8(text.to_vec()).unwrap())
    }

    #[test]
    fn what_json_lacks_becomes_text() {
        assert_eq!(json(&[0xc4, 3, 0xff, 0xfe, 0xfd]).as_deref(), Ok("\"//79\""));
        assert_eq!(json(&[0xc4, 1, 0x66]).as_deref(), Ok("\"Zg==\""));
        assert_eq!(json(&[0xc4, 2, 0x66, 0x6f]).as_deref(), Ok("\"Zm8=\""));
        assert_eq!(json(&[0xc4, 0]).as_deref(), Ok("\"\""));
        assert_eq!(json(&[0xd6, 0xff, 0, 0, 0, 1]).as_deref(), Ok("\"1970-01-01T00:00:01Z\""));
        assert_eq!(json(&[0x81, 0x07, 0xc0]).as_deref(), Ok("{\"7\":null}"));
    }

    #[test]
    fn integers_of_64_bits_stay_exact() {
        for text in
            ["0", "-1", "127", "-128", "65536", "9007199254740993", "18446744073709551615", "-9223372036854775808"]
        {
            assert_eq!(json(&to_messagepack(text.as_bytes()).unwrap()).as_deref(), Ok(text));
        }
        assert_eq!(to_messagepack(b"300").unwrap(), [0xcd, 0x01, 0x2c].as_slice());
    }

    #[test]
    fn lists_and_maps_have_the_shortest_header() {
        assert_eq!(to_messagepack(b"[1,[2],{}]").unwrap(), [0x93, 1, 0x91, 2, 0x80].as_slice());
        assert_eq!(to_messagepack(b"{\"a\":[],\"b\":0.5}").unwrap()[..4], [0x82, 0xa1, b'a', 0x90]);
        let long = format!("[{}0]", "0,".repeat(15));
        assert_eq!(to_messagepack(long.as_bytes()).unwrap()[..3], [0xdc, 0, 16]);
    }

    #[test]
    fn what_has_no_form_in_json_is_an_error() {
        let nan = [&[0xcb][..], &f64::NAN.to_be_bytes()[..]].concat();
        for bytes in [&nan[..], &[0xd4, 5, 0], &[0x81, 0xc0, 0xc0], &[0xd6, 0xff], &[0xd4, 0xff, 0]] {
            assert!(json(bytes).is_err(), "{bytes:?}");
        }
        assert_eq!(json(&[0x91; 200]), Err(TOO_DEEP));
        assert_eq!(to_messagepack("[".repeat(5_000).as_bytes()), Err(TOO_DEEP));
    }
}
