//! Reading.

use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// What is wrong with a document, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{member}: {why}")]
pub struct Shape {
    /// The member, such as `messages[3].content[0].type`; empty for the document itself.
    pub member: String,
    /// What is wrong with it.
    pub why: String,
}

impl Shape {
    pub fn new(member: impl Into<String>, why: impl Into<String>) -> Self {
        Self { member: member.into(), why: why.into() }
    }
}

/// What a value is, by its first character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Bool,
    Number,
    Text,
    List,
    Object,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "a truth value",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::List => "a list",
            Self::Object => "an object",
        }
    }
}

/// A value and its place.
#[derive(Debug, Clone)]
pub(crate) struct Field<'a> {
    raw: &'a RawValue,
    at: String,
}

impl<'a> Field<'a> {
    /// A whole document.
    pub fn root(raw: &'a RawValue) -> Self {
        Self { raw, at: String::new() }
    }

    /// A member of this object.
    pub fn inside(&self, name: &str, raw: &'a RawValue) -> Self {
        Self { raw, at: if self.at.is_empty() { name.to_owned() } else { format!("{}.{name}", self.at) } }
    }

    pub const fn raw(&self) -> &'a RawValue {
        self.raw
    }

    pub fn at(&self) -> &str {
        &self.at
    }

    /// Blames this value.
    pub fn wrong(&self, why: impl Into<String>) -> Shape {
        Shape::new(self.at.clone(), why)
    }

    pub fn kind(&self) -> Kind {
        match self.raw.get().as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::List,
            Some(b'"') => Kind::Text,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'n') => Kind::Null,
            _ => Kind::Number,
        }
    }

    fn expect(&self, kind: Kind) -> Result<(), Shape> {
        if self.kind() == kind {
            return Ok(());
        }
        Err(self.wrong(format!("is {}, where {} is expected", self.kind().name(), kind.name())))
    }

    fn value<T: DeserializeOwned>(&self) -> Result<T, Shape> {
        serde_json::from_str(self.raw.get()).map_err(|cause| self.wrong(format!("cannot be read: {cause}")))
    }

    pub fn text(&self) -> Result<String, Shape> {
        self.expect(Kind::Text)?;
        self.value()
    }

    pub fn flag(&self) -> Result<bool, Shape> {
        self.expect(Kind::Bool)?;
        self.value()
    }

    /// A whole number from 0; one that is written with a point, as `100.0`, counts as well.
    pub fn count(&self) -> Result<u64, Shape> {
        self.expect(Kind::Number)?;
        let text = self.raw.get();
        let whole = match text.split_once('.') {
            Some((whole, rest)) if rest.bytes().all(|digit| digit == b'0') => whole,
            _ => text,
        };
        whole.parse().map_err(|_| self.wrong("is not a whole number from 0"))
    }

    /// A number as it is written.
    pub fn number(&self) -> Result<Box<RawValue>, Shape> {
        self.expect(Kind::Number)?;
        Ok(self.raw.to_owned())
    }

    pub fn object(&self) -> Result<Object<'a>, Shape> {
        self.expect(Kind::Object)?;
        let members: Pairs<'a> =
            serde_json::from_str(self.raw.get()).map_err(|cause| self.wrong(format!("cannot be read: {cause}")))?;
        let members = members.0.into_iter().map(|(name, raw)| (name, Some(raw))).collect();
        Ok(Object { members, at: self.at.clone() })
    }

    pub fn list(&self) -> Result<Vec<Self>, Shape> {
        self.expect(Kind::List)?;
        let items: Vec<&'a RawValue> =
            serde_json::from_str(self.raw.get()).map_err(|cause| self.wrong(format!("cannot be read: {cause}")))?;
        Ok(items
            .into_iter()
            .enumerate()
            .map(|(place, raw)| Self { raw, at: format!("{}[{place}]", self.at) })
            .collect())
    }

    /// A text, or each text of a list.
    pub fn texts(&self) -> Result<Vec<String>, Shape> {
        match self.kind() {
            Kind::Text => Ok(vec![self.text()?]),
            _ => self.list()?.iter().map(Self::text).collect(),
        }
    }
}

/// An object whose members are taken one after the other; what is left was not understood.
#[derive(Debug)]
pub(crate) struct Object<'a> {
    members: Vec<(Cow<'a, str>, Option<&'a RawValue>)>,
    at: String,
}

impl<'a> Object<'a> {
    /// The place of a member.
    pub fn place(&self, name: &str) -> String {
        if self.at.is_empty() { name.to_owned() } else { format!("{}.{name}", self.at) }
    }

    /// Blames a member.
    pub fn wrong(&self, name: &str, why: impl Into<String>) -> Shape {
        Shape::new(self.place(name), why)
    }

    /// Takes a member; null is as good as absent, and of a name that is given twice the last one counts.
    pub fn take(&mut self, name: &str) -> Option<Field<'a>> {
        let mut found = None;
        for (_, value) in self.members.iter_mut().filter(|(known, _)| known == name) {
            found = value.take().or(found);
        }
        let raw = found.filter(|raw| raw.get() != "null")?;
        Some(Field { raw, at: self.place(name) })
    }

    /// Takes a member that goes by either of two names, as those of Gemini do.
    pub fn either(&mut self, name: &str, other: &str) -> Option<Field<'a>> {
        let second = self.take(other);
        self.take(name).or(second)
    }

    pub fn need(&mut self, name: &str) -> Result<Field<'a>, Shape> {
        self.take(name).ok_or_else(|| self.wrong(name, "is missing"))
    }

    pub fn text(&mut self, name: &str) -> Result<Option<String>, Shape> {
        self.take(name).map(|field| field.text()).transpose()
    }

    pub fn need_text(&mut self, name: &str) -> Result<String, Shape> {
        self.need(name)?.text()
    }

    pub fn flag(&mut self, name: &str) -> Result<Option<bool>, Shape> {
        self.take(name).map(|field| field.flag()).transpose()
    }

    pub fn count(&mut self, name: &str) -> Result<Option<u64>, Shape> {
        self.take(name).map(|field| field.count()).transpose()
    }

    pub fn number(&mut self, name: &str) -> Result<Option<Box<RawValue>>, Shape> {
        self.take(name).map(|field| field.number()).transpose()
    }

    pub fn object(&mut self, name: &str) -> Result<Option<Self>, Shape> {
        self.take(name).map(|field| field.object()).transpose()
    }

    /// The items of a list; none where it is absent.
    pub fn list(&mut self, name: &str) -> Result<Vec<Field<'a>>, Shape> {
        self.take(name).map_or_else(|| Ok(Vec::new()), |field| field.list())
    }

    pub fn raw(&mut self, name: &str) -> Option<Box<RawValue>> {
        self.take(name).map(|field| field.raw.to_owned())
    }

    /// An object as it is written.
    pub fn object_text(&mut self, name: &str) -> Result<Option<Box<RawValue>>, Shape> {
        let Some(field) = self.take(name) else { return Ok(None) };
        field.expect(Kind::Object)?;
        Ok(Some(field.raw.to_owned()))
    }

    /// Refuses a member that says something which cannot be passed on. What is empty, zero or false says nothing.
    pub fn refuse(&mut self, name: &str, why: &str) -> Result<(), Shape> {
        match self.take(name) {
            Some(field) if !is_nothing(field.raw.get()) => Err(field.wrong(why)),
            _ => Ok(()),
        }
    }

    /// Takes everything that is left, in order.
    pub fn take_rest(&mut self) -> Vec<(String, &'a RawValue)> {
        let rest = self.members.iter_mut();
        rest.filter_map(|(name, value)| Some((name.clone().into_owned(), value.take()?))).collect()
    }

    /// The names of what was not taken.
    pub fn rest(&self) -> impl Iterator<Item = &str> {
        let left = |value: &Option<&RawValue>| value.is_some_and(|raw| raw.get() != "null");
        self.members.iter().filter(move |(_, value)| left(value)).map(|(name, _)| &**name)
    }
}

fn is_nothing(text: &str) -> bool {
    let bare: String = text.chars().filter(|character| !character.is_whitespace()).collect();
    matches!(&*bare, "false" | "\"\"" | "[]" | "{}") || bare.parse::<f64>().is_ok_and(|number| number == 0.0)
}

/// The members of an object in their order.
struct Pairs<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// A name, borrowed where it holds nothing that is escaped.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Pairs<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some((name, value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    pairs.push((name.0, value));
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn a_complaint_names_its_place() {
        let document = raw(r#"{"messages":[{"role":"user"},{"role":7}]}"#);
        let mut object = Field::root(&document).object().unwrap();
        let messages = object.list("messages").unwrap();
        let wrong = messages[1].object().unwrap().text("role").unwrap_err();
        assert_eq!(wrong.to_string(), "messages[1].role: is a number, where a text is expected");
        let missing = messages[0].object().unwrap().need_text("content").unwrap_err();
        assert_eq!(missing.to_string(), "messages[0].content: is missing");
    }

    #[test]
    fn what_is_left_is_what_nobody_took_and_null_is_absent() {
        let document = raw(r#"{"a":1,"b":null,"c":[],"a":2,"d":"\u0041"}"#);
        let mut object = Field::root(&document).object().unwrap();
        assert_eq!(object.count("a"), Ok(Some(2)));
        assert_eq!(object.text("b"), Ok(None));
        assert_eq!(object.rest().collect::<Vec<_>>(), ["c", "d"]);
        assert_eq!(object.text("d").unwrap().unwrap(), "A");
    }

    #[test]
    fn what_says_nothing_is_not_refused() {
        let document = raw(r#"{"a":0.0,"b":[ ],"c":false,"d":"","e":1}"#);
        let mut object = Field::root(&document).object().unwrap();
        for name in ["a", "b", "c", "d", "absent"] {
            assert_eq!(object.refuse(name, "no"), Ok(()), "{name}");
        }
        assert_eq!(object.refuse("e", "no").unwrap_err().to_string(), "e: no");
    }

    #[test]
    fn whole_numbers_are_read_however_they_are_written() {
        let read = |text: &str| Field::root(&raw(text)).count().ok();
        assert_eq!(read("12"), Some(12));
        assert_eq!(read("12.0"), Some(12));
        assert_eq!([read("-1"), read("1.5"), read("1e3"), read("99999999999999999999")], [None; 4]);
    }
}
