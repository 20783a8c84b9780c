//! Names and positions. Every one is opaque to the stores: they encode it before it becomes part of a key.

use crate::text::{InvalidText, string_schema, text_type};
use serde::{Deserialize, Serialize};

/// Longest id accepted, in bytes: 300 characters of the widest UTF-8, and some room.
const MAX_ID_BYTES: usize = 1_280;

text_type! {
    /// The id of a message. Usually `msg-` and 8 hexadecimal digits; a sender may give any text, and legacy
    /// stores hold every kind of it.
    MessageId, "message id", MAX_ID_BYTES, |value| no_nul(value)
}

text_type! {
    /// The name of an instance: an agent, a service or a person that sends and receives mail.
    /// `all` addresses every instance of the namespace.
    InstanceId, "instance name", MAX_ID_BYTES, |value| no_nul(value)
}

text_type! {
    /// A namespace: teams in different namespaces never see each other's data.
    Namespace, "namespace", 200, |value| no_nul(value)
}

text_type! {
    /// The id of a write, made by the caller: a repeated write with the same id returns the first result.
    RequestId, "request id", 300, |value| no_nul(value)
}

text_type! {
    /// The type of a message: capital letters, digits and underscores, such as `READY_FOR_REVIEW`.
    MessageType, "message type", 64, |value| {
        let valid = value.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
            && value.as_bytes()[0].is_ascii_uppercase();
        valid.then_some(()).ok_or_else(|| {
            format!("{value:?} must be capital letters, digits and underscores, and begin with a letter")
        })
    }
}

text_type! {
    /// Where an identity comes from: `local` for the users, keys and the owner of this installation, else the name of
    /// a configured issuer. Two issuers that give the same tenant and user are thereby two identities.
    Realm, "realm", 64, |value| {
        let valid = value.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
        valid.then_some(()).ok_or_else(|| format!("{value:?} must be small letters, digits, `-` and `_`"))
    }
}

text_type! {
    /// A tenant, as its issuer names it (`tid`); `local` for identities of this installation.
    TenantId, "tenant", 300, |value| no_nul(value)
}

text_type! {
    /// A user within a tenant, as the issuer names it (`sub`, or `oid` for Entra); never a name of a person.
    SubjectId, "user", 600, |value| no_nul(value)
}

text_type! {
    /// The id of a user of this installation, made by it: `usr-` and 16 hexadecimal digits.
    UserId, "user id", 64, |value| word(value)
}

text_type! {
    /// The id of an API key, which is no secret: `key-` and 16 hexadecimal digits.
    KeyId, "key id", 64, |value| word(value)
}

text_type! {
    /// The id of a session, which is no secret: `ses-` and 16 hexadecimal digits.
    SessionId, "session id", 64, |value| word(value)
}

text_type! {
    /// The id of a conversation; a UUID where the server makes it.
    ConversationId, "conversation id", 200, |value| no_nul(value)
}

pub(crate) fn word(value: &str) -> Result<(), String> {
    let valid = value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    valid.then_some(()).ok_or_else(|| format!("{value:?} must be letters, digits, `-` and `_`"))
}

pub(crate) fn no_nul(value: &str) -> Result<(), String> {
    match value.find('\0') {
        Some(at) => Err(format!("it holds a NUL character at byte {at}")),
        None => Ok(()),
    }
}

impl InstanceId {
    /// The recipient that stands for every instance.
    pub const ALL: &'static str = "all";

    /// The recipient that stands for every instance.
    #[must_use]
    pub fn all() -> Self {
        Self::parse(Self::ALL).expect("a constant name is valid")
    }

    /// Whether this is the broadcast recipient.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.as_str() == Self::ALL
    }
}

impl Realm {
    /// The realm of this installation itself.
    #[must_use]
    pub fn local() -> Self {
        Self::parse("local").expect("a constant name is valid")
    }
}

impl TenantId {
    /// The tenant of identities of this installation.
    #[must_use]
    pub fn local() -> Self {
        Self::parse("local").expect("a constant name is valid")
    }
}

impl Default for Namespace {
    fn default() -> Self {
        Self::parse("default").expect("a constant name is valid")
    }
}

/// The place of a message in the log of its namespace. Grows with every message and is never used twice, not even
/// after a store lost its last second in a crash: it follows the clock (microseconds since 1970) and is not dense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Offset(pub u64);

impl Offset {
    /// The largest offset: 2^53 − 1, the largest integer that a Redis sorted-set score and a JSON reader hold exactly.
    pub const MAX: Self = Self((1 << 53) - 1);
}

impl std::fmt::Display for Offset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The lifetime of a log: it changes when the store is emptied, so that a position of an earlier life is recognised.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Epoch(String);

impl Epoch {
    /// Parses an epoch: 1 to 32 ASCII letters and digits.
    ///
    /// # Errors
    /// The rule that the value breaks.
    pub fn parse(value: impl Into<String>) -> Result<Self, InvalidText> {
        let value = value.into();
        let valid = (1..=32).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_alphanumeric());
        if valid {
            Ok(Self(value))
        } else {
            Err(InvalidText { what: "epoch", rule: "expected 1 to 32 letters and digits".into() })
        }
    }

    /// The epoch as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A reader's place in an inbox, written `epoch:offset`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[derive(schemars::JsonSchema)]
#[schemars(with = "String")]
pub struct Position {
    /// The life of the log that the offset belongs to.
    pub epoch: Epoch,
    /// The last message that the reader has seen.
    pub offset: Offset,
}

string_schema!(Position, "5f2c9a1e:1763673827000123");

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.epoch.as_str(), self.offset)
    }
}

impl std::str::FromStr for Position {
    type Err = InvalidText;
    fn from_str(value: &str) -> Result<Self, InvalidText> {
        let broken = || InvalidText {
            what: "position",
            rule: format!("{value:?} is not of the form epoch:offset, as an earlier answer gave it"),
        };
        let (epoch, offset) = value.split_once(':').ok_or_else(broken)?;
        let offset = offset.parse().ok().filter(|o| *o <= Offset::MAX.0).ok_or_else(broken)?;
        Ok(Self { epoch: Epoch::parse(epoch).map_err(|_| broken())?, offset: Offset(offset) })
    }
}

impl TryFrom<String> for Position {
    type Error = InvalidText;
    fn try_from(value: String) -> Result<Self, InvalidText> {
        value.parse()
    }
}

impl From<Position> for String {
    fn from(value: Position) -> String {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_ids_are_ids() {
        for id in ["a:b", "{x}", "*", "line\nbreak", "日本語", &"🦀".repeat(300)] {
            assert_eq!(MessageId::parse(id).unwrap().as_str(), id);
            assert_eq!(InstanceId::parse(id).unwrap().as_str(), id);
        }
    }

    #[test]
    fn an_empty_an_endless_and_a_nul_id_are_refused_with_the_rule() {
        assert_eq!(MessageId::parse("").unwrap_err().to_string(), "invalid message id: it is empty");
        assert!(MessageId::parse("x".repeat(1_281)).unwrap_err().to_string().contains("at most 1280"));
        assert!(MessageId::parse("a\0b").unwrap_err().to_string().contains("NUL"));
    }

    #[test]
    fn a_type_is_capitals() {
        assert!(MessageType::parse("READY_FOR_REVIEW").is_ok());
        for bad in ["ready", "1A", "A-B", "_A", "É"] {
            assert!(MessageType::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_position_survives_its_text() {
        let position: Position = "abc123:1763673827000123".parse().unwrap();
        assert_eq!(position.to_string(), "abc123:1763673827000123");
        for bad in ["", "abc", "abc:", ":1", "abc:-1", "a b:1", "abc:9007199254740993"] {
            assert!(bad.parse::<Position>().is_err(), "{bad}");
        }
    }
}
