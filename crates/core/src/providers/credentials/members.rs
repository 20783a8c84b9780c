//! The members of a JSON object as places in its text, so that some can be replaced while all others keep their bytes.

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::ops::Range;

/// A member: its name, and where its value stands.
struct Member {
    name: String,
    value: Range<usize>,
}

/// A JSON object and the places of its members, in their order.
pub(super) struct Members<'a> {
    text: &'a str,
    members: Vec<Member>,
}

impl<'a> Members<'a> {
    /// The members of an object; nothing where the text is none.
    pub fn parse(text: &'a str) -> Option<Self> {
        let pairs: Pairs<'a> = serde_json::from_str(text).ok()?;
        let place = |(name, value): (String, &RawValue)| {
            // The value is a part of the text: their distance is its place.
            let start = value.get().as_ptr() as usize - text.as_ptr() as usize;
            Member { name, value: start..start + value.get().len() }
        };
        Some(Self { text, members: pairs.0.into_iter().map(place).collect() })
    }

    /// The names and values, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.members.iter().map(|member| (member.name.as_str(), &self.text[member.value.clone()]))
    }

    /// The value of a member; the last one where a name is repeated, as readers of JSON have it.
    pub fn value(&self, name: &str) -> Option<&'a str> {
        self.iter().filter(|(known, _)| *known == name).last().map(|(_, value)| value)
    }

    /// The text with other values: in their place where there are members of these names, else at the end.
    pub fn with(&self, changes: &[(String, String)]) -> String {
        let mut text = String::with_capacity(self.text.len() + 256);
        let mut at = 0;
        for member in &self.members {
            text.push_str(&self.text[at..member.value.start]);
            let change = changes.iter().rev().find(|(name, _)| *name == member.name);
            text.push_str(change.map_or(&self.text[member.value.clone()], |(_, value)| value));
            at = member.value.end;
        }
        let separator = self.separator();
        for (name, value) in changes.iter().filter(|(name, _)| self.value(name).is_none()) {
            if at == 0 {
                at = self.text.find('{').map_or(0, |brace| brace + 1);
                text.push_str(&self.text[..at]);
            } else {
                text.push(',');
            }
            text.push_str(separator);
            text.push_str(&serde_json::Value::from(name.as_str()).to_string());
            text.push_str(if separator.is_empty() { ":" } else { ": " });
            text.push_str(value);
        }
        text.push_str(&self.text[at..]);
        text
    }

    /// The space before a member, as the first one has it.
    fn separator(&self) -> &'a str {
        let after = self.text.find('{').map_or("", |brace| &self.text[brace + 1..]);
        &after[..after.find(|character: char| !character.is_ascii_whitespace()).unwrap_or(0)]
    }
}

struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(text: &str, changes: &[(&str, &str)]) -> String {
        let changes: Vec<_> = changes.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Members::parse(text).unwrap().with(&changes)
    }

    #[test]
    fn what_is_not_changed_keeps_its_bytes() {
        let text = "{\n  \"a\": 12345678901234567890123,\n  \"\\u0062\": [ ],\n  \"c\":1.0, \"a2\":\"x\\/y\"\n}\n";
        assert_eq!(change(text, &[]), text);
        let changed = change(text, &[("b", "true"), ("d", "\"n\"")]);
        let expected = "{\n  \"a\": 12345678901234567890123,\n  \"\\u0062\": true,\n  \"c\":1.0, \"a2\":\"x\\/y\",\n  \"d\": \"n\"\n}\n";
        assert_eq!(changed, expected);
    }

    #[test]
    fn an_empty_object_and_a_repeated_name_are_changed_as_well() {
        assert_eq!(change("{}", &[("a", "1"), ("b", "2")]), "{\"a\":1,\"b\":2}");
        assert_eq!(change(" { } ", &[("a", "1")]), " { \"a\": 1 } ");
        assert_eq!(change("{\"a\":1,\"a\":2}", &[("a", "3")]), "{\"a\":3,\"a\":3}");
        assert_eq!(Members::parse("{\"a\":1,\"a\":2}").unwrap().value("a"), Some("2"));
        for other in ["[]", "1", "", "{"] {
            assert!(Members::parse(other).is_none(), "{other}");
        }
    }
}
