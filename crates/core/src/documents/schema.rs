//! The JSON Schema of a collection: what fits it, and what it calls secret. Nothing outside of it is ever fetched.

use crate::error::{Error, Result};
use crate::secrets::members::Step;
use jsonschema::{PatternOptions, Validator};
use mainstay_api::{Code, RawJson};
use serde_json::Value;

/// Places that a refusal names at most.
const MAX_PLACES: usize = 10;
/// Largest compiled regular expression of a schema, in bytes.
const MAX_PATTERN_BYTES: usize = 1_024 * 1_024;
/// Parts of a schema that are searched for secrets.
const MAX_PARTS: usize = 10_000;
/// How deep a schema is searched for secrets.
const MAX_DEPTH: usize = 32;

/// A schema that documents are checked against.
pub(super) struct Schema {
    validator: Validator,
    /// What it calls `writeOnly`.
    pub secrets: Vec<Vec<Step>>,
}

impl Schema {
    /// Reads a schema.
    ///
    /// # Errors
    /// `documents.schema_violation` where it is none, or refers to what is not in it.
    pub fn parse(text: &RawJson) -> Result<Self> {
        let schema: Value = text.read().map_err(|e| no_schema(&e.to_string()))?;
        // Patterns in linear time: a schema cannot make a check hang.
        let patterns = PatternOptions::regex().size_limit(MAX_PATTERN_BYTES).dfa_size_limit(MAX_PATTERN_BYTES);
        let built = jsonschema::options().with_pattern_options(patterns).build(&schema);
        let validator = built.map_err(|e| no_schema(&e.masked().to_string()))?;
        let mut search = Search { root: &schema, secrets: Vec::new(), parts: 0 };
        search.look(&schema, &[], 0);
        Ok(Self { validator, secrets: search.secrets })
    }

    /// Refuses a document that does not fit, naming places and never what stands there.
    ///
    /// # Errors
    /// `documents.schema_violation`.
    pub fn check(&self, text: &str) -> Result<()> {
        let value: Value = serde_json::from_str(text).map_err(|e| violation(&[e.to_string()]))?;
        let broken = self.validator.iter_errors(&value).take(MAX_PLACES);
        let broken: Vec<_> = broken.map(|error| format!("{}: {}", place(&error), error.masked())).collect();
        if broken.is_empty() { Ok(()) } else { Err(violation(&broken)) }
    }
}

fn place(error: &jsonschema::ValidationError<'_>) -> String {
    let path = error.instance_path().to_string();
    if path.is_empty() { "the document".into() } else { path }
}

/// The search for what a schema calls secret.
struct Search<'a> {
    root: &'a Value,
    secrets: Vec<Vec<Step>>,
    parts: usize,
}

impl Search<'_> {
    fn look(&mut self, schema: &Value, at: &[Step], depth: usize) {
        self.parts += 1;
        let Value::Object(schema) = schema else { return };
        if depth > MAX_DEPTH || self.parts > MAX_PARTS {
            return;
        }
        if schema.get("writeOnly") == Some(&Value::Bool(true)) {
            self.secrets.push(at.to_vec());
            return;
        }
        let below = |step: Step| at.iter().cloned().chain([step]).collect::<Vec<_>>();
        if let Some(Value::Object(properties)) = schema.get("properties") {
            for (name, part) in properties {
                self.look(part, &below(Step::Name(name.clone())), depth + 1);
            }
        }
        if let Some(Value::Object(patterns)) = schema.get("patternProperties") {
            patterns.values().for_each(|part| self.look(part, &below(Step::Any), depth + 1));
        }
        for name in ["additionalProperties", "unevaluatedProperties", "items", "additionalItems", "contains"] {
            if let Some(part) = schema.get(name) {
                self.look(part, &below(Step::Any), depth + 1);
            }
        }
        for name in ["items", "prefixItems"] {
            if let Some(Value::Array(parts)) = schema.get(name) {
                parts.iter().for_each(|part| self.look(part, &below(Step::Any), depth + 1));
            }
        }
        for name in ["allOf", "anyOf", "oneOf"] {
            if let Some(Value::Array(parts)) = schema.get(name) {
                parts.iter().for_each(|part| self.look(part, at, depth + 1));
            }
        }
        for name in ["if", "then", "else"] {
            if let Some(part) = schema.get(name) {
                self.look(part, at, depth + 1);
            }
        }
        let target = schema.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
        if let Some(part) = target.and_then(|pointer| self.root.pointer(pointer)) {
            self.look(part, at, depth + 1);
        }
    }
}

fn no_schema(why: &str) -> Error {
    Error::new(
        Code::DocumentInvalid,
        format!("the schema cannot be used: {why}"),
        "Give a JSON Schema that refers to nothing outside of it; patterns have no look-around.",
    )
}

fn violation(places: &[String]) -> Error {
    Error::new(
        Code::DocumentInvalid,
        format!("the document does not fit its schema: {}", places.join("; ")),
        "Correct these places, or change the schema: it is the document of the collection's name in `schemas`.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(text: &str) -> Result<Schema> {
        Schema::parse(&RawJson::parse(text).unwrap())
    }

    #[test]
    fn a_refusal_names_places_and_never_what_stands_there() {
        let schema = schema(r#"{"properties":{"n":{"type":"integer","maximum":5},"s":{"pattern":"^a+$"}}}"#).unwrap();
        assert!(schema.check(r#"{"n":5,"s":"aa","other":[]}"#).is_ok());
        let refused = schema.check(r#"{"n":70707,"s":"hunter2"}"#).unwrap_err();
        let detail = &refused.problem.detail;
        assert_eq!(refused.code(), Code::DocumentInvalid);
        assert!(detail.contains("/n") && detail.contains("/s"), "{detail}");
        assert!(!detail.contains("70707") && !detail.contains("hunter2"), "{detail}");
    }

    #[test]
    fn a_schema_that_is_none_or_looks_elsewhere_is_refused() {
        for broken in [
            r#"{"type":"strange"}"#,
            r#"{"$ref":"https://example.com/a.json"}"#,
            r#"{"$ref":"file:///etc/passwd"}"#,
            r#"{"pattern":"(?=a)"}"#,
            "7",
        ] {
            assert!(schema(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn what_is_write_only_is_secret() {
        let schema = schema(
            r##"{"$defs":{"s":{"writeOnly":true}},"properties":{"a":{"$ref":"#/$defs/s"},
               "list":{"items":{"properties":{"b":{"writeOnly":true},"c":{}}}}},"allOf":[{"properties":{"d":{"writeOnly":true}}}]}"##,
        )
        .unwrap();
        let name = |text: &str| Step::Name(text.into());
        for secret in [vec![name("a")], vec![name("list"), Step::Any, name("b")], vec![name("d")]] {
            assert!(schema.secrets.contains(&secret), "{:?}", schema.secrets);
        }
        assert_eq!(schema.secrets.len(), 3);
        assert!(self::schema(r##"{"properties":{"a":{"$ref":"#"}}}"##).is_ok(), "a schema may refer to itself");
    }
}
