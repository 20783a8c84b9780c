//! JSON that is carried, never changed: the text as it was written, so that every number keeps its digits.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A JSON document, kept as the text that it came as. Two are equal where their texts are.
#[derive(Debug, Clone)]
pub struct RawJson(Box<RawValue>);

impl RawJson {
    /// Parses a text; spaces around the document are dropped.
    ///
    /// # Errors
    /// Where it is no JSON.
    pub fn parse(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str::<&RawValue>(text).map(|raw| Self(raw.to_owned()))
    }

    /// Writes a value as a document.
    ///
    /// # Errors
    /// Where the value has no JSON form, such as a map whose keys are no texts.
    pub fn of(value: &impl Serialize) -> serde_json::Result<Self> {
        serde_json::value::to_raw_value(value).map(Self)
    }

    /// An object without members.
    #[must_use]
    pub fn empty_object() -> Self {
        Self(RawValue::from_string("{}".to_owned()).unwrap_or_default())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Whether it is an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.as_str().starts_with('{')
    }

    /// Reads it as something typed.
    ///
    /// # Errors
    /// Where it is of another shape.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> serde_json::Result<T> {
        serde_json::from_str(self.as_str())
    }
}

impl PartialEq for RawJson {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for RawJson {}

impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RawJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self)
    }
}

impl utoipa::PartialSchema for RawJson {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new().schema_type(utoipa::openapi::schema::SchemaType::AnyValue).into()
    }
}

impl utoipa::ToSchema for RawJson {}

impl schemars::JsonSchema for RawJson {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "AnyJson".into()
    }

    fn json_schema(_generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        true.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_order_and_repeated_names_stay() {
        let text = r#"{"b":12345678901234567890123,"a":1.0,"a":[],"c":1e400}"#;
        let raw: RawJson = serde_json::from_str(&format!(" {text} ")).unwrap();
        assert_eq!((raw.as_str(), raw.is_object()), (text, true));
        assert_eq!(serde_json::to_string(&raw).unwrap(), text);
        assert!(RawJson::parse("{").is_err() && RawJson::parse("1 2").is_err());
        assert_eq!(RawJson::of(&vec![1, 2]).unwrap().read::<Vec<u8>>().unwrap(), [1, 2]);
    }
}
