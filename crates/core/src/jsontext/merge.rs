//! A merge patch (RFC 7396) on the text: members that it does not name keep their bytes, their order and their numbers.

use super::{Kind, Member, Node};
use crate::error::{Error, Result};
use mainstay_api::RawJson;

/// The document with the patch applied. New members come last, in the order of the patch.
///
/// # Errors
/// Like [`Node::of`], for either.
pub fn merge_patch(document: &RawJson, patch: &RawJson) -> Result<RawJson> {
    let merge = Merge { text: document.as_str(), patch: patch.as_str() };
    let merged = merge.value(Some(&Node::of(document)?), &Node::of(patch)?);
    RawJson::parse(&merged).map_err(|e| Error::bug(format!("a patched document is no JSON: {e}")))
}

struct Merge<'t> {
    text: &'t str,
    patch: &'t str,
}

impl Merge<'_> {
    fn value(&self, old: Option<&Node>, patch: &Node) -> String {
        let Kind::Object(changes) = &patch.kind else { return patch.text(self.patch).to_owned() };
        match old {
            Some(Node { kind: Kind::Object(members), span }) if !members.is_empty() => {
                self.object(&self.text[..span.end], members, changes)
            }
            _ => self.fresh(changes),
        }
    }

    /// A patch where no object stood: the object that it describes, without the members that it removes.
    fn fresh(&self, changes: &[Member]) -> String {
        let added = changes.iter().filter(|change| !self.removes(change));
        let members: Vec<_> = added.map(|change| self.written(change, self.value(None, &change.value))).collect();
        format!("{{{}}}", members.join(","))
    }

    /// What stands before each member that is kept stays with it: spaces, line breaks, and its comma.
    fn object(&self, text: &str, members: &[Member], changes: &[Member]) -> String {
        let start = members.first().map_or(0, |first| text[..first.start].rfind('{').unwrap_or(0));
        let mut result = String::from("{");
        let (mut before, mut kept) = (start + 1, false);
        let lead = &text[start + 1..members.first().map_or(start + 1, |first| first.start)];
        for member in members {
            let change = changes.iter().find(|change| change.name == member.name);
            let gap = &text[before..member.start];
            before = member.value.span.end;
            if change.is_some_and(|change| self.removes(change)) {
                continue;
            }
            result.push_str(if kept { gap } else { lead });
            kept = true;
            result.push_str(&text[member.start..member.value.span.start]);
            match change {
                Some(change) => result.push_str(&self.value(Some(&member.value), &change.value)),
                None => result.push_str(member.value.text(self.text)),
            }
        }
        for change in changes.iter().filter(|change| !self.removes(change)) {
            if members.iter().any(|member| member.name == change.name) {
                continue;
            }
            if kept {
                result.push(',');
            }
            result.push_str(lead);
            kept = true;
            result.push_str(&self.written(change, self.value(None, &change.value)));
        }
        result.push_str(if kept { &text[before..] } else { "}" });
        result
    }

    fn removes(&self, change: &Member) -> bool {
        change.value.text(self.patch) == "null"
    }

    fn written(&self, change: &Member, value: String) -> String {
        let name = &self.patch[change.start..change.value.span.start];
        format!("{name}{value}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn merged(document: &str, patch: &str) -> String {
        merge_patch(&RawJson::parse(document).unwrap(), &RawJson::parse(patch).unwrap()).unwrap().as_str().to_owned()
    }

    #[test]
    fn what_a_patch_does_not_name_keeps_its_bytes() {
        let document =
            "{\n  \"z\": [ ],\n  \"n\": 12345678901234567,\n  \"f\": 1.50,\n  \"u\\u0041\": {\"x\" : 1, \"y\":2}\n}";
        assert_eq!(
            merged(document, r#"{"f":null,"uA":{"x":9},"new":true}"#),
            "{\n  \"z\": [ ],\n  \"n\": 12345678901234567,\n  \"u\\u0041\": {\"x\" : 9, \"y\":2},\n  \"new\":true\n}"
        );
        assert_eq!(merged(document, "{}"), document);
        assert_eq!(merged(r#"{"a":1 , "b":2}"#, r#"{"a":null}"#), r#"{"b":2}"#);
        assert_eq!(merged(r#"{"a":1}"#, r#"{"a":null}"#), "{}");
        assert_eq!(merged("{ }", r#"{"a":{"b":null,"c":1}}"#), r#"{"a":{"c":1}}"#);
    }

    /// The examples of RFC 7396, Appendix A.
    #[test]
    fn the_examples_of_the_standard_hold() {
        for (document, patch, expected) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
            (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
            (r#"{"a":"foo"}"#, "null", "null"),
            (r#"{"a":"foo"}"#, r#""bar""#, r#""bar""#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
            ("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ] {
            let value: Value = serde_json::from_str(&merged(document, patch)).unwrap();
            assert_eq!(value, serde_json::from_str::<Value>(expected).unwrap(), "{document} {patch}");
        }
    }
}
