//! Reading files as text and as JSON, with the place of what is wrong.

use mainstay_api::RawJson;
use mainstay_core::jsontext::{Kind, Node};
use std::io::Read;
use std::path::Path;

/// Largest file that is read, in bytes: as large as a pool of ten thousand providers.
const MAX_FILE_BYTES: u64 = 16 * 1_024 * 1_024;

/// Reads a file of text. A mark of the byte order, which editors of Windows put before it, is no part of it.
///
/// # Errors
/// Why it cannot be read.
pub fn read_text(path: &Path) -> Result<String, String> {
    let known = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !known.is_file() {
        // Reading a named pipe would wait for somebody who writes to it.
        return Err("it is not a file".into());
    }
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(format!("it has more than {MAX_FILE_BYTES} bytes"));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("it is not UTF-8, from byte {at} on")
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// Reads a text as JSON. What it says of a mistake holds the place, and nothing of the text: it may be a secret.
///
/// # Errors
/// What is wrong, with line and column.
pub fn parse(text: &str) -> Result<RawJson, String> {
    let json = RawJson::parse(text).map_err(|error| {
        let kind = match error.classify() {
            serde_json::error::Category::Eof => "it ends in the middle of a value",
            _ => "it is not valid JSON",
        };
        format!("{kind}, at line {}, column {}", error.line(), error.column())
    })?;
    Node::of(&json).map_err(|error| error.problem.detail.clone())?;
    Ok(json)
}

/// The string that a member of an object holds.
pub fn string_member(object: &RawJson, name: &str) -> Option<String> {
    let node = Node::of(object).ok()?;
    let member = node.member(name)?;
    serde_json::from_str(member.value.text(object.as_str())).ok()
}

/// The members of an object with their texts, in their order; absent where it is none.
pub fn members(object: &RawJson) -> Option<Vec<(String, RawJson)>> {
    let node = Node::of(object).ok()?;
    let Kind::Object(members) = node.kind else { return None };
    members
        .into_iter()
        .map(|member| Some((member.name, RawJson::parse(member.value.text(object.as_str())).ok()?)))
        .collect()
}

/// The elements of an array with their texts; absent where it is none.
pub fn elements(array: &RawJson) -> Option<Vec<RawJson>> {
    let node = Node::of(array).ok()?;
    let Kind::Array(elements) = node.kind else { return None };
    elements.into_iter().map(|element| RawJson::parse(element.text(array.as_str())).ok()).collect()
}

/// An object with the texts of some of its members changed. What is not named keeps its bytes; members that are new come last,
/// written as the first one is. Absent where it is no object.
pub fn with_members(object: &RawJson, changes: &[(&str, String)]) -> Option<RawJson> {
    let text = object.as_str();
    let node = Node::of(object).ok()?;
    let Kind::Object(members) = &node.kind else { return None };
    let (mut written, mut from) = (String::with_capacity(text.len()), 0);
    for member in members {
        if let Some((_, value)) = changes.iter().find(|(name, _)| *name == member.name) {
            written.push_str(text.get(from..member.value.span.start)?);
            written.push_str(value);
            from = member.value.span.end;
        }
    }
    let end = members.last().map_or(node.span.start + 1, |last| last.value.span.end);
    written.push_str(text.get(from..end)?);
    let lead = members.first().map_or("", |first| text.get(node.span.start + 1..first.start).unwrap_or(""));
    let mut is_first = members.is_empty();
    for (name, value) in changes.iter().filter(|(name, _)| node.member(name).is_none()) {
        let comma = if std::mem::take(&mut is_first) { "" } else { "," };
        written.push_str(&format!("{comma}{lead}{}: {value}", RawJson::of(name).ok()?.as_str()));
    }
    written.push_str(text.get(end..)?);
    RawJson::parse(&written).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_told_with_its_place_and_without_the_text() {
        let told = parse("{\n  \"apiKey\": \"hunter2\n}").unwrap_err();
        assert!(told.contains("line 2") && !told.contains("hunter2"), "{told}");
        assert!(parse("{\"a\": [1,").unwrap_err().contains("ends in the middle"));
        assert!(parse("{\"a\":1,\"a\":2}").is_err(), "readers do not agree which of two members counts");
    }

    #[test]
    fn members_that_are_not_named_keep_their_bytes() {
        let with = |text: &str, changes: &[(&str, &str)]| {
            let changes: Vec<_> = changes.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
            with_members(&parse(text).unwrap(), &changes).unwrap().as_str().to_owned()
        };
        let text = "{\n  \"a\" : 1.0,\n  \"b\": [ ]\n}";
        assert_eq!(with(text, &[]), text);
        assert_eq!(with(text, &[("b", "null")]), "{\n  \"a\" : 1.0,\n  \"b\": null\n}");
        assert_eq!(with(text, &[("c", "2"), ("a", "3")]), "{\n  \"a\" : 3,\n  \"b\": [ ],\n  \"c\": 2\n}");
        assert_eq!(with("{}", &[("c", "2"), ("d", "3")]), "{\"c\": 2,\"d\": 3}");
        assert_eq!(with("{ }", &[("c", "2")]), "{\"c\": 2 }");
    }

    #[test]
    fn members_and_elements_keep_their_texts() {
        let object = parse("{\"b\": 12345678901234567890, \"a\": [ 1.0, [] ]}").unwrap();
        let members = members(&object).unwrap();
        assert_eq!(members[0], ("b".into(), parse("12345678901234567890").unwrap()));
        assert_eq!(elements(&members[1].1).unwrap()[0].as_str(), "1.0");
    }
}
