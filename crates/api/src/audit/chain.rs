//! Chains: where the entries of one namespace, or of the server itself, stand one behind the other.

use crate::text::{InvalidText, string_schema};
use crate::{Namespace, Timestamp};
use serde::{Deserialize, Serialize};

/// A chain of entries, written `server` or `namespace:<name>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[derive(schemars::JsonSchema)]
#[schemars(with = "String")]
pub enum ChainId {
    /// What concerns the whole installation: identity, logins, and requests without a valid credential.
    Server,
    /// What took place in one namespace.
    Namespace(Namespace),
}

string_schema!(ChainId, "namespace:default");

impl std::fmt::Display for ChainId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Server => f.write_str("server"),
            Self::Namespace(name) => write!(f, "namespace:{name}"),
        }
    }
}

impl std::str::FromStr for ChainId {
    type Err = InvalidText;
    fn from_str(value: &str) -> Result<Self, InvalidText> {
        if value == "server" {
            return Ok(Self::Server);
        }
        let broken = |rule: String| InvalidText { what: "audit chain", rule };
        let name = value
            .strip_prefix("namespace:")
            .ok_or_else(|| broken(format!("{value:?} is neither \"server\" nor \"namespace:<name>\"")))?;
        Namespace::parse(name).map(Self::Namespace).map_err(|error| broken(error.rule))
    }
}

impl TryFrom<String> for ChainId {
    type Error = InvalidText;
    fn try_from(value: String) -> Result<Self, InvalidText> {
        value.parse()
    }
}

impl From<ChainId> for String {
    fn from(value: ChainId) -> String {
        value.to_string()
    }
}

/// Where a chain begins and ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AuditChain {
    /// The chain.
    pub chain: ChainId,
    /// The number of its newest entry.
    pub seq: u64,
    /// The hash of its newest entry, 64 hexadecimal digits.
    pub hash: String,
    /// Entries kept.
    pub count: u64,
    /// The number of the last entry that retention removed; 0 where it removed none.
    pub base_seq: u64,
    /// The hash of that entry; zeros where there is none.
    pub base_hash: String,
    /// The signed statement that removed what is gone, where anything is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trim: Option<String>,
}

/// The chains that a caller may see.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AuditChains {
    /// The chains, by name.
    pub chains: Vec<AuditChain>,
    /// When they were read.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_survives_its_text_and_no_namespace_can_pass_for_the_server() {
        for text in ["server", "namespace:server", "namespace:a:b", "namespace:日本"] {
            assert_eq!(text.parse::<ChainId>().unwrap().to_string(), text);
        }
        let named = ChainId::Namespace(Namespace::parse("server").unwrap());
        assert_ne!(named.to_string(), ChainId::Server.to_string());
        for bad in ["", "Server", "namespace:", "other:x"] {
            assert!(bad.parse::<ChainId>().is_err(), "{bad}");
        }
    }
}
