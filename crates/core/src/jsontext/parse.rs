//! From a text that is known to be JSON to its structure. Bounded in depth; one pass.

use super::{Kind, Member, Node};
use crate::error::{Error, Result};
use std::collections::HashSet;

/// How deep a document may be.
pub const MAX_DEPTH: usize = 64;

pub(super) fn parse(text: &str) -> Result<Node> {
    let mut reader = Reader { text, at: 0 };
    reader.skip_space();
    reader.value(0)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node> {
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{' | b'[') if depth == MAX_DEPTH => {
                return Err(Error::invalid(format!("a document is at most {MAX_DEPTH} objects and arrays deep")));
            }
            Some(b'{') => self.object(depth + 1)?,
            Some(b'[') => self.array(depth + 1)?,
            Some(b'"') => {
                self.string()?;
                Kind::Text
            }
            Some(b'-' | b'0'..=b'9') => {
                self.skip_word();
                Kind::Number
            }
            Some(_) => {
                self.skip_word();
                Kind::Word
            }
            None => return Err(malformed()),
        };
        Ok(Node { span: start..self.at, kind })
    }

    fn object(&mut self, depth: usize) -> Result<Kind> {
        let (mut members, mut names) = (Vec::new(), HashSet::new());
        self.at += 1;
        loop {
            self.skip_space();
            match self.peek() {
                Some(b'}') => break self.at += 1,
                Some(b',') => self.at += 1,
                Some(b'"') => {
                    let start = self.at;
                    let literal = self.string()?;
                    let name: String = serde_json::from_str(literal).map_err(|_| malformed())?;
                    if !names.insert(name.clone()) {
                        return Err(Error::invalid(format!("a document names the member {name:?} twice")));
                    }
                    self.skip_space();
                    self.expect(b':')?;
                    self.skip_space();
                    members.push(Member { name, start, value: self.value(depth)? });
                }
                _ => return Err(malformed()),
            }
        }
        Ok(Kind::Object(members))
    }

    fn array(&mut self, depth: usize) -> Result<Kind> {
        let mut elements = Vec::new();
        self.at += 1;
        loop {
            self.skip_space();
            match self.peek() {
                Some(b']') => break self.at += 1,
                Some(b',') => self.at += 1,
                Some(_) => elements.push(self.value(depth)?),
                None => return Err(malformed()),
            }
        }
        Ok(Kind::Array(elements))
    }

    fn string(&mut self) -> Result<&str> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => break self.at += 1,
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
                None => return Err(malformed()),
            }
        }
        Ok(&self.text[start..self.at])
    }

    fn skip_word(&mut self) {
        while self.peek().is_some_and(|byte| !matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<()> {
        if self.peek() != Some(byte) {
            return Err(malformed());
        }
        self.at += 1;
        Ok(())
    }
}

fn malformed() -> Error {
    Error::bug("a text that was taken for JSON is none")
}

#[cfg(test)]
mod tests {
    use super::*;
    use mainstay_api::RawJson;

    fn node(text: &str) -> Result<Node> {
        Node::of(&RawJson::parse(text).unwrap())
    }

    #[test]
    fn values_stand_where_their_text_is() {
        let text = r#"{ "a\u0062" : [1.50, {"q":"\"}"} ] , "z":null }"#;
        let root = node(text).unwrap();
        let member = root.member("ab").unwrap();
        assert_eq!(member.value.text(text), r#"[1.50, {"q":"\"}"} ]"#);
        let Kind::Array(elements) = &member.value.kind else { panic!("{member:?}") };
        assert_eq!((elements[0].text(text), elements[1].member("q").unwrap().value.text(text)), ("1.50", r#""\"}""#));
        assert_eq!(root.member("z").unwrap().value.kind, Kind::Word);
    }

    #[test]
    fn depth_is_bounded_and_names_are_unique() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(node(&nested(MAX_DEPTH)).is_ok());
        assert!(node(&nested(MAX_DEPTH + 1)).is_err());
        assert!(node(&nested(100_000)).is_err());
        assert!(node(r#"{"a":1,"\u0061":2}"#).is_err());
    }
}
