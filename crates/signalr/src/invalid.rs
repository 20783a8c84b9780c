//! Why bytes are no message, and why a value cannot be written.

use std::fmt;

/// Why what arrived is not a message. A connection that sent it cannot go on: where the next message begins, or what
/// was meant, is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invalid {
    /// The message is longer than allowed.
    TooLarge {
        /// Longest message that is taken.
        limit_bytes: usize,
    },
    /// A property that the message must have is absent.
    Missing(&'static str),
    /// A property has another type than it must have.
    Mistyped(&'static str),
    /// A property has more entries than allowed, or is nested deeper.
    Exceeds {
        /// What has too many, such as `arguments`.
        what: &'static str,
        /// How many are allowed.
        limit: usize,
    },
    /// A completion has both a result and an error.
    ResultAndError,
    /// The text is not JSON, or not an object, or has a property of a wrong type.
    Json(String),
    /// The bytes are not MessagePack, or end too early.
    MessagePack(&'static str),
}

/// Why a value has no form in the other protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unrepresentable(pub(crate) &'static str);

impl fmt::Display for Invalid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { limit_bytes } => {
                write!(
                    out,
                    "The maximum message size of {limit_bytes}B was exceeded. The message size can be configured."
                )
            }
            Self::Missing(name) => write!(out, "Missing required property '{name}'."),
            Self::Mistyped(name) => write!(out, "The property '{name}' has a wrong type."),
            Self::Exceeds { what, limit } => write!(out, "A message may not have more than {limit} {what}."),
            Self::ResultAndError => write!(out, "The 'error' and 'result' properties are mutually exclusive."),
            Self::Json(cause) => write!(out, "Error reading JSON: {cause}."),
            Self::MessagePack(cause) => write!(out, "Error reading MessagePack: {cause}."),
        }
    }
}

impl fmt::Display for Unrepresentable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.0)
    }
}

impl std::error::Error for Invalid {}
impl std::error::Error for Unrepresentable {}
