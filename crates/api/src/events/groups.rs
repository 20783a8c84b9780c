//! Consumer groups of a stream, all partitions together.

use super::{ConsumerName, EventPosition, GroupName, Standing};
use crate::text::{InvalidText, string_schema};
use serde::{Deserialize, Serialize};

/// Most groups of a stream.
pub const MAX_GROUPS: u32 = 64;

/// Where a new group begins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[derive(schemars::JsonSchema)]
#[schemars(with = "String")]
pub enum GroupFrom {
    /// With the oldest event kept.
    #[default]
    Oldest,
    /// With what is published from now on.
    New,
    /// Behind a position that an earlier answer gave; for streams of one partition.
    After(EventPosition),
}

string_schema!(GroupFrom, "oldest");

impl std::fmt::Display for GroupFrom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Oldest => f.write_str("oldest"),
            Self::New => f.write_str("new"),
            Self::After(position) => position.fmt(f),
        }
    }
}

impl std::str::FromStr for GroupFrom {
    type Err = InvalidText;
    fn from_str(value: &str) -> Result<Self, InvalidText> {
        match value {
            "oldest" => Ok(Self::Oldest),
            "new" => Ok(Self::New),
            other => other.parse().map(Self::After).map_err(|_| InvalidText {
                what: "start",
                rule: format!("{other:?} is none of oldest, new, or a position (epoch:ms-seq)"),
            }),
        }
    }
}

impl TryFrom<String> for GroupFrom {
    type Error = InvalidText;
    fn try_from(value: String) -> Result<Self, InvalidText> {
        value.parse()
    }
}

impl From<GroupFrom> for String {
    fn from(value: GroupFrom) -> String {
        value.to_string()
    }
}

/// Makes a group.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateGroup {
    /// Where it begins: `oldest`, `new`, or a position; the oldest event kept when absent.
    #[serde(default)]
    pub from: GroupFrom,
}

/// The answer to [`CreateGroup`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct GroupCreated {
    /// Whether it was made; one that was there is unchanged.
    pub created: bool,
}

/// Whether there was a group to remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct GroupRemoved {
    /// Whether there was one.
    pub removed: bool,
}

/// The groups of a stream, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct GroupList {
    /// The groups.
    pub groups: Vec<ConsumerGroup>,
}

/// How a group stands, all partitions together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct ConsumerGroup {
    /// Its name.
    pub name: GroupName,
    /// How it stands, by its lag.
    pub status: Standing,
    /// Events that nobody has taken yet.
    pub lag: u64,
    /// Whether there may be more of them: the store counted as far as one call may.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lag_at_least: bool,
    /// Events taken and not acknowledged, or given back, or revived.
    pub pending: u64,
    /// Milliseconds for which the one of these that was longest left alone has been in the hands of its consumer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_pending_ms: Option<u64>,
    /// Consumers that hold something, or took something in the last hour, by name.
    pub consumers: Vec<GroupConsumer>,
    /// Events given up on.
    pub dead: u64,
    /// Events that were trimmed while a consumer held them.
    pub lost: u64,
}

/// A consumer of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct GroupConsumer {
    /// Its name.
    pub name: ConsumerName,
    /// How many events it holds.
    pub holds: u64,
}
