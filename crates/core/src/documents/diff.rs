//! What changed between two texts, without telling a secret.

use crate::error::Result;
use crate::jsontext::{Kind, Node, Pointer};
use mainstay_api::RawJson;
use mainstay_api::documents::{DiffOp, Difference};
use std::collections::HashSet;

/// Most places that are told.
const MAX_PLACES: usize = 200;
/// Longest text of a value that is told.
const MAX_VALUE_BYTES: usize = 256;

/// The places at which the new text differs from the old one, in the order of the texts, where there is either. Only
/// scalars and what is empty are told with what they were; of secrets nothing but that they changed.
///
/// # Errors
/// Those of [`Node::of`].
pub(super) fn between<'a>(
    old: Option<&'a RawJson>,
    new: Option<&'a RawJson>,
    secrets: &'a HashSet<String>,
) -> Result<Vec<Difference>> {
    let (before, after) = (old.map(Node::of).transpose()?, new.map(Node::of).transpose()?);
    let text = |document: Option<&'a RawJson>| document.map_or("", RawJson::as_str);
    let mut scan = Scan { old: text(old), new: text(new), secrets, found: Vec::new() };
    match (&before, &after) {
        (Some(before), Some(after)) => scan.compare(&Pointer::default(), before, after),
        (Some(before), None) => scan.leaves(&Pointer::default(), before, DiffOp::Remove),
        (None, Some(after)) => scan.leaves(&Pointer::default(), after, DiffOp::Add),
        (None, None) => {}
    }
    Ok(scan.found)
}

struct Scan<'a> {
    old: &'a str,
    new: &'a str,
    secrets: &'a HashSet<String>,
    found: Vec<Difference>,
}

impl Scan<'_> {
    fn compare(&mut self, at: &Pointer, old: &Node, new: &Node) {
        match (&old.kind, &new.kind) {
            (Kind::Object(before), Kind::Object(after)) if !before.is_empty() && !after.is_empty() => {
                for member in before {
                    let path = at.with(&member.name);
                    match new.member(&member.name) {
                        Some(known) => self.compare(&path, &member.value, &known.value),
                        None => self.leaves(&path, &member.value, DiffOp::Remove),
                    }
                }
                for member in after.iter().filter(|member| old.member(&member.name).is_none()) {
                    self.leaves(&at.with(&member.name), &member.value, DiffOp::Add);
                }
            }
            (Kind::Array(before), Kind::Array(after)) if !before.is_empty() && !after.is_empty() => {
                for place in 0..before.len().max(after.len()) {
                    let path = at.with(place.to_string());
                    match (before.get(place), after.get(place)) {
                        (Some(old), Some(new)) => self.compare(&path, old, new),
                        (Some(old), None) => self.leaves(&path, old, DiffOp::Remove),
                        (None, Some(new)) => self.leaves(&path, new, DiffOp::Add),
                        (None, None) => {}
                    }
                }
            }
            _ if is_leaf(old) && is_leaf(new) => {
                let (before, after) = (old.text(self.old), new.text(self.new));
                if before != after {
                    self.tell(at, DiffOp::Replace, (Some(before), Some(after)));
                }
            }
            _ => {
                self.leaves(at, old, DiffOp::Remove);
                self.leaves(at, new, DiffOp::Add);
            }
        }
    }

    /// Everything in a value that came, or went.
    fn leaves(&mut self, at: &Pointer, node: &Node, op: DiffOp) {
        match &node.kind {
            Kind::Object(members) if !members.is_empty() => {
                members.iter().for_each(|member| self.leaves(&at.with(&member.name), &member.value, op));
            }
            Kind::Array(elements) if !elements.is_empty() => {
                for (place, element) in elements.iter().enumerate() {
                    self.leaves(&at.with(place.to_string()), element, op);
                }
            }
            _ if op == DiffOp::Remove => self.tell(at, op, (Some(node.text(self.old)), None)),
            _ => self.tell(at, op, (None, Some(node.text(self.new)))),
        }
    }

    fn tell(&mut self, at: &Pointer, op: DiffOp, (old, new): (Option<&str>, Option<&str>)) {
        if self.found.len() >= MAX_PLACES {
            return;
        }
        let path = at.to_string();
        let secret = self.secrets.contains(&path);
        let told = |text: Option<&str>| {
            text.filter(|text| !secret && text.len() <= MAX_VALUE_BYTES).and_then(|text| RawJson::parse(text).ok())
        };
        self.found.push(Difference { op, path, old: told(old), new: told(new), secret });
    }
}

fn is_leaf(node: &Node) -> bool {
    match &node.kind {
        Kind::Object(members) => members.is_empty(),
        Kind::Array(elements) => elements.is_empty(),
        Kind::Text | Kind::Number | Kind::Word => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(old: &str, new: &str) -> Vec<String> {
        let raw = |text: &str| (!text.is_empty()).then(|| RawJson::parse(text).unwrap());
        let secrets = HashSet::from(["/key".to_owned()]);
        let found = between(raw(old).as_ref(), raw(new).as_ref(), &secrets).unwrap();
        found.iter().map(|place| serde_json::to_string(place).unwrap()).collect()
    }

    #[test]
    fn only_what_changed_is_told() {
        assert_eq!(
            told(r#"{"a":1, "b":[1,2],"c":{"d":1}}"#, r#"{"b":[1,3],"c":{"d":1},"e":{"f":[]}}"#),
            [
                r#"{"op":"remove","path":"/a","old":1}"#,
                r#"{"op":"replace","path":"/b/1","old":2,"new":3}"#,
                r#"{"op":"add","path":"/e/f","new":[]}"#,
            ]
        );
        assert_eq!(told("", "null"), [r#"{"op":"add","path":"","new":null}"#]);
        assert!(told("{\"a\" : 1}", "{\"a\":1}").is_empty());
    }

    #[test]
    fn of_a_secret_nothing_is_told_but_that_it_changed() {
        assert_eq!(told(r#"{"key":"old"}"#, r#"{"key":"new"}"#), [r#"{"op":"replace","path":"/key","secret":true}"#]);
        assert_eq!(told("", r#"{"key":"new"}"#), [r#"{"op":"add","path":"/key","secret":true}"#]);
    }

    #[test]
    fn what_is_told_is_bounded() {
        let many = format!("[{}0]", "1,".repeat(1_000));
        assert_eq!(told("", &many).len(), MAX_PLACES);
        let long = format!("\"{}\"", "x".repeat(1_000));
        assert_eq!(told("", &long), [r#"{"op":"add","path":""}"#]);
    }
}
