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
    fn members_and_elements_keep_their_texts() {
        let object = parse("{\"b\": 12345678901234567890, \"a\": [ 1.0, [] ]}").unwrap();
        let members = members(&object).unwrap();
        assert_eq!(members[0], ("b".into(), parse("12345678901234567890").unwrap()));
        assert_eq!(elements(&members[1].1).unwrap()[0].as_str(), "1.0");
    }
}
