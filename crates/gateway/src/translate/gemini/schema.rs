//! The schemas of Gemini, which are almost those of JSON Schema.

use crate::json::{Field, Json, Kind, Members, Shape};

/// Deepest schema that is read.
const MAX_DEPTH: usize = 64;
/// Members whose numbers may be written as texts, as Google writes whole numbers of 64 bits.
const NUMBERS: [&str; 6] = ["minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"];

/// A schema in the words of JSON Schema: types in small letters, what may be null by its type.
pub(super) fn json_schema(field: &Field<'_>) -> Result<Json, Shape> {
    schema(field, 0)
}

fn schema(field: &Field<'_>, depth: usize) -> Result<Json, Shape> {
    if depth > MAX_DEPTH {
        return Err(field.wrong("is nested too deeply"));
    }
    let mut object = field.object()?;
    let is_nullable = object.flag("nullable")?.unwrap_or(false);
    let mut written = Members::new();
    for (name, raw) in object.take_rest() {
        let member = field.inside(&name, raw);
        let name = camel(name);
        let value: Json = match (&*name, member.kind()) {
            ("propertyOrdering" | "example", _) => continue,
            ("type", Kind::Text) => typed(&member.text()?, is_nullable),
            ("items" | "additionalProperties" | "not", Kind::Object) => schema(&member, depth + 1)?,
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Kind::List) => {
                let items = member.list()?;
                items.iter().map(|item| schema(item, depth + 1)).collect::<Result<Vec<_>, _>>()?.into()
            }
            ("properties" | "defs" | "$defs", Kind::Object) => {
                let mut properties = Members::new();
                for (property, raw) in member.object()?.take_rest() {
                    let value = schema(&member.inside(&property, raw), depth + 1)?;
                    properties = properties.with(property, value);
                }
                properties.into()
            }
            (known, Kind::Text) if NUMBERS.contains(&known) => match member.text()?.parse::<u64>() {
                Ok(number) => number.into(),
                Err(_) => return Err(member.wrong("is not a whole number")),
            },
            _ => raw.to_owned().into(),
        };
        let name = match &*name {
            "defs" => "$defs".to_owned(),
            "ref" => "$ref".to_owned(),
            _ => name,
        };
        written = written.with(name, value);
    }
    Ok(written.into())
}

fn typed(name: &str, is_nullable: bool) -> Json {
    let name = Json::from(name.to_ascii_lowercase());
    if is_nullable { vec![name, "null".into()].into() } else { name }
}

/// A name that may be written with low lines.
fn camel(name: String) -> String {
    if !name.contains('_') || name.starts_with('$') {
        return name;
    }
    let mut words = name.split('_');
    let mut joined = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        joined.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        joined.push_str(letters.as_str());
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    fn converted(text: &str) -> Result<String, String> {
        let raw = parse(text.as_bytes()).unwrap();
        json_schema(&Field::root(raw)).map(|json| json.to_text()).map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn types_are_written_small_and_what_may_be_null_says_so() {
        let schema = r#"{"type":"OBJECT","properties":{"type":{"type":"STRING","nullable":true},"n":{"type":"ARRAY","items":{"type":"INTEGER"},"min_items":"2"}},"required":["type"],"propertyOrdering":["n"]}"#;
        let expected = r#"{"type":"object","properties":{"type":{"type":["string","null"]},"n":{"type":"array","items":{"type":"integer"},"minItems":2}},"required":["type"]}"#;
        assert_eq!(converted(schema).unwrap(), expected);
    }

    #[test]
    fn a_schema_without_a_floor_is_refused() {
        let deep = format!("{}{{}}{}", "{\"items\":".repeat(100), "}".repeat(100));
        assert!(converted(&deep).unwrap_err().ends_with("is nested too deeply"));
    }
}
