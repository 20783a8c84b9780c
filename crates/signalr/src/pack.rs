//! Reading MessagePack without building anything of it: one value after the other, from bytes that nobody trusts.

use crate::Invalid;
use rmp::Marker;
use rmp::decode;

/// What stands at the beginning of some bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Item<'a> {
    Nil,
    Bool(bool),
    Unsigned(u64),
    /// Always below zero.
    Negative(i64),
    Float(f64),
    Text(&'a str),
    Binary(&'a [u8]),
    /// A list of so many values, which follow.
    List(usize),
    /// A map of so many pairs, which follow.
    Map(usize),
    Extension(i8, &'a [u8]),
}

/// A place in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

const SHORT: Invalid = Invalid::MessagePack("it ends too early");

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Reads what is next: a scalar whole, of a list or a map its length alone.
    pub(crate) fn item(&mut self) -> Result<Item<'a>, Invalid> {
        let marker = Marker::from_u8(*self.rest.first().ok_or(SHORT)?);
        let rest = &mut self.rest;
        let item = match marker {
            Marker::Null => decode::read_nil(rest).map(|()| Item::Nil).map_err(|_| SHORT)?,
            Marker::True | Marker::False => Item::Bool(decode::read_bool(rest).map_err(|_| SHORT)?),
            Marker::FixPos(_) | Marker::U8 | Marker::U16 | Marker::U32 | Marker::U64 => {
                Item::Unsigned(decode::read_int(rest).map_err(|_| SHORT)?)
            }
            Marker::FixNeg(_) | Marker::I8 | Marker::I16 | Marker::I32 | Marker::I64 => {
                let number: i64 = decode::read_int(rest).map_err(|_| SHORT)?;
                u64::try_from(number).map_or(Item::Negative(number), Item::Unsigned)
            }
            Marker::F32 => Item::Float(decode::read_f32(rest).map_err(|_| SHORT)?.into()),
            Marker::F64 => Item::Float(decode::read_f64(rest).map_err(|_| SHORT)?),
            Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {
                let length = decode::read_str_len(rest).map_err(|_| SHORT)?;
                let bytes = self.take(length)?;
                Item::Text(std::str::from_utf8(bytes).map_err(|_| Invalid::MessagePack("a text is not UTF-8"))?)
            }
            Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => {
                let length = decode::read_bin_len(rest).map_err(|_| SHORT)?;
                Item::Binary(self.take(length)?)
            }
            Marker::FixArray(_) | Marker::Array16 | Marker::Array32 => {
                let length = decode::read_array_len(rest).map_err(|_| SHORT)?;
                Item::List(self.plausible(length, 1)?)
            }
            Marker::FixMap(_) | Marker::Map16 | Marker::Map32 => {
                let length = decode::read_map_len(rest).map_err(|_| SHORT)?;
                Item::Map(self.plausible(length, 2)?)
            }
            Marker::Reserved => return Err(Invalid::MessagePack("the marker c1 stands for nothing")),
            _ => {
                let meta = decode::read_ext_meta(rest).map_err(|_| SHORT)?;
                Item::Extension(meta.typeid, self.take(meta.size)?)
            }
        };
        Ok(item)
    }

    /// Passes over one whole value and returns its bytes.
    pub(crate) fn skip(&mut self, depth: usize) -> Result<&'a [u8], Invalid> {
        let start = self.rest;
        // How many values are still to come on each level that is open.
        let mut open: Vec<usize> = Vec::new();
        loop {
            let within = match self.item()? {
                Item::List(length) => Some(length),
                Item::Map(length) => Some(length * 2),
                _ => None,
            };
            if let Some(within) = within {
                crate::json::within("levels of nesting", open.len() + 1, depth)?;
                if within > 0 {
                    open.push(within);
                    continue;
                }
            }
            while let Some(left) = open.last_mut() {
                *left -= 1;
                if *left > 0 {
                    break;
                }
                open.pop();
            }
            if open.is_empty() {
                return Ok(&start[..start.len() - self.rest.len()]);
            }
        }
    }

    fn take(&mut self, length: u32) -> Result<&'a [u8], Invalid> {
        let (taken, rest) = self.rest.split_at_checked(length as usize).ok_or(SHORT)?;
        self.rest = rest;
        Ok(taken)
    }

    /// A length that the bytes can hold: each value takes one at least, so that nobody reserves room for a lie.
    fn plausible(&self, length: u32, bytes_each: usize) -> Result<usize, Invalid> {
        let length = length as usize;
        let needed = length.checked_mul(bytes_each).ok_or(SHORT)?;
        if needed > self.rest.len() { Err(SHORT) } else { Ok(length) }
    }
}
