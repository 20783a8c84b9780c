//! Reading an inbox from a position.

use super::Message;
use crate::{InstanceId, MessageType, Position};
use serde::{Deserialize, Serialize};

/// Where to begin reading an inbox.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[derive(schemars::JsonSchema)]
#[schemars(with = "String")]
pub enum Start {
    /// With the oldest message that the recipient has not read; read ones are passed over.
    #[default]
    Unread,
    /// With the oldest message kept.
    Oldest,
    /// With the next message to arrive.
    Now,
    /// After a position that an earlier answer gave.
    After(Position),
}

crate::text::string_schema!(Start, "unread");

impl std::fmt::Display for Start {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unread => f.write_str("unread"),
            Self::Oldest => f.write_str("oldest"),
            Self::Now => f.write_str("now"),
            Self::After(position) => position.fmt(f),
        }
    }
}

impl std::str::FromStr for Start {
    type Err = crate::text::InvalidText;
    fn from_str(value: &str) -> Result<Self, Self::Err> {
        match value {
            "unread" => Ok(Self::Unread),
            "oldest" => Ok(Self::Oldest),
            "now" => Ok(Self::Now),
            other => other.parse().map(Self::After).map_err(|_| crate::text::InvalidText {
                what: "start",
                rule: format!("{other:?} is none of unread, oldest, now, or a position (epoch:offset)"),
            }),
        }
    }
}

impl TryFrom<String> for Start {
    type Error = crate::text::InvalidText;
    fn try_from(value: String) -> Result<Self, Self::Error> {
        value.parse()
    }
}

impl From<Start> for String {
    fn from(value: Start) -> String {
        value.to_string()
    }
}

/// Reads an inbox from a position, and may wait for mail.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::IntoParams, schemars::JsonSchema)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ReadInbox {
    /// Where to begin: `unread`, `oldest`, `now`, or the `position` of an earlier answer.
    #[serde(default)]
    #[param(value_type = Option<String>, example = "unread")]
    pub after: Start,
    /// Messages at most: 1 to 1,000, 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// How long to wait when there is nothing yet, in milliseconds; at most 60,000, 0 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
    /// Only messages of this type.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub kind: Option<MessageType>,
    /// Only messages from this instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub sender: Option<InstanceId>,
    /// Mark what is returned as read, before the answer is on its way: at most once. Where an answer may be lost, leave
    /// it out and mark with POST /v1/mail/inbox/read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mark_read: bool,
}

/// Why a position could not be continued without loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gap {
    /// Messages after the position, not yet read, were dropped: they expired, or the inbox was full.
    Trimmed,
    /// The store was emptied or replaced since; reading began with the oldest unread message.
    NewEpoch,
}

/// What an inbox holds after a position, oldest first.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct Inbox {
    /// The messages, in the order of arrival.
    pub messages: Vec<Message>,
    /// Give this as `after` to read what follows.
    pub position: Position,
    /// Whether more can be read at once.
    pub more: bool,
    /// Set where something between `after` and the first message is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<Gap>,
}

/// How much mail an instance has.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema,
)]
pub struct InboxCounts {
    /// Messages in the inbox.
    pub total: u64,
    /// Messages not read.
    pub unread: u64,
    /// Messages that wait for this instance's acknowledgement.
    pub pending: u64,
}
