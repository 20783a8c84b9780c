//! Newtypes over text: parsed once, at the edge, so that no later code meets an invalid value.

/// Why a text was refused as an id, with the rule it broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidText {
    /// What was being parsed, such as `message id`.
    pub what: &'static str,
    /// The rule, in words that say how to fix the value.
    pub rule: String,
}

impl std::fmt::Display for InvalidText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "invalid {}: {}", self.what, self.rule)
    }
}

impl std::error::Error for InvalidText {}

/// Declares a validated string type with serde, schema and conversion implementations.
/// FNV-1a, 64 bits: tells texts apart, alike on every machine and in every version.
#[must_use]
pub fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:expr, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        #[derive(utoipa::ToSchema, schemars::JsonSchema)]
        #[schema(value_type = String)]
        #[schemars(with = "String")]
        pub struct $name(String);

        impl $name {
            /// The longest value accepted, in bytes of UTF-8.
            pub const MAX_BYTES: usize = $max;

            /// Parses a value.
            ///
            /// # Errors
            /// The rule that the value breaks.
            pub fn parse(value: impl Into<String>) -> Result<Self, $crate::text::InvalidText> {
                let value = value.into();
                let broken = |rule: String| $crate::text::InvalidText { what: $what, rule };
                if value.is_empty() {
                    return Err(broken("it is empty".into()));
                }
                if value.len() > Self::MAX_BYTES {
                    return Err(broken(format!(
                        "it has {} bytes, at most {} are allowed",
                        value.len(),
                        Self::MAX_BYTES
                    )));
                }
                let check: fn(&str) -> Result<(), String> = $check;
                check(&value).map_err(broken)?;
                Ok(Self(value))
            }

            /// The value as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::text::InvalidText;
            fn try_from(value: String) -> Result<Self, Self::Error> {
                Self::parse(value)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::text::InvalidText;
            fn from_str(value: &str) -> Result<Self, Self::Err> {
                Self::parse(value)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}
pub(crate) use text_type;

/// Declares the OpenAPI schema of a type that is written as text.
macro_rules! string_schema {
    ($name:ident, $example:literal) => {
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::schema::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .examples([serde_json::json!($example)])
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}
pub(crate) use string_schema;
