//! From the arguments of a call to a typed request.

use crate::mcp::Result;
use mainstay_api::{Code, Problem};
use rmcp::model::JsonObject;
use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde_json::Value;

/// Messages on a page of a tool's answer, where the caller does not say: an answer is read by a model.
pub(super) const DEFAULT_LIMIT: u32 = 20;
/// Most messages on such a page.
pub(super) const MAX_LIMIT: u32 = 100;

/// The arguments that are there: models write `null` for what they leave out.
pub(super) fn present(mut arguments: JsonObject) -> JsonObject {
    arguments.retain(|_, value| !value.is_null());
    arguments
}

/// Parses arguments.
///
/// # Errors
/// `request.invalid`, naming the argument and the rule it breaks.
pub(super) fn parse<T: DeserializeOwned>(arguments: JsonObject) -> Result<T> {
    serde_path_to_error::deserialize(Value::Object(arguments)).map_err(|error| {
        let path = error.path().to_string();
        let cause = error.into_inner();
        invalid(if path == "." { cause.to_string() } else { format!("{path}: {cause}") })
    })
}

/// A request that breaks a rule of the tool.
pub(super) fn invalid(detail: impl Into<String>) -> Box<Problem> {
    let help = "Correct the arguments to fit the tool's inputSchema and call it again; nothing was written.";
    Box::new(Problem::new(Code::InvalidRequest, detail, help))
}

/// The limit of a page.
///
/// # Errors
/// `request.invalid` outside 1 to [`MAX_LIMIT`].
pub(super) fn limit(given: Option<u32>) -> Result<u32> {
    match given.unwrap_or(DEFAULT_LIMIT) {
        limit @ 1..=MAX_LIMIT => Ok(limit),
        limit => Err(invalid(format!("limit: {limit}; ask for 1 to {MAX_LIMIT}, and page on"))),
    }
}

/// Accepts one text where a list of texts is asked for: models write it often.
///
/// # Errors
/// Those of the elements.
pub(super) fn one_or_many<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    from: D,
) -> std::result::Result<Vec<T>, D::Error> {
    let value = match Value::deserialize(from)? {
        text @ Value::String(_) => Value::Array(vec![text]),
        other => other,
    };
    serde_json::from_value(value).map_err(serde::de::Error::custom)
}

/// The default of a switch that is on unless the caller turns it off.
pub(super) fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Given {
        #[serde(deserialize_with = "one_or_many")]
        to: Vec<String>,
        limit: Option<u32>,
    }

    fn given(value: Value) -> Result<Given> {
        let Value::Object(arguments) = value else { panic!("an object") };
        parse(present(arguments))
    }

    #[test]
    fn a_broken_argument_is_named() {
        let detail = |value| given(value).unwrap_err().detail;
        assert!(detail(json!({"to": ["a"], "limit": "ten"})).starts_with("limit: "));
        assert!(detail(json!({"to": ["a"], "colour": 1})).contains("`colour`"));
        assert!(detail(json!({})).contains("`to`"));
    }

    #[test]
    fn null_is_absence_and_one_text_is_a_list() {
        let given = given(json!({"to": "a", "limit": null})).unwrap();
        assert_eq!((given.to, given.limit), (vec!["a".to_owned()], None));
    }

    #[test]
    fn a_limit_has_bounds() {
        assert_eq!(limit(None).unwrap(), DEFAULT_LIMIT);
        assert_eq!(limit(Some(100)).unwrap(), 100);
        assert!(limit(Some(0)).is_err() && limit(Some(101)).is_err());
    }
}
