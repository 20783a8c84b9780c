//! Bringing whole messages in from elsewhere.

use super::{Content, Receipt};
use serde::{Deserialize, Serialize};

/// A whole message for an import or a mirror: the content with every acknowledgement, as another store had it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportMessage {
    /// What it says, id and time included.
    pub content: Content,
    /// The state by recipient.
    #[serde(default)]
    pub receipts: Vec<Receipt>,
    /// Whether nobody needs to acknowledge it any more.
    #[serde(default)]
    pub settled: bool,
}

/// Messages to import, at most 500 at a time.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportMessages {
    /// The messages, oldest first.
    pub messages: Vec<ImportMessage>,
    /// Say what would happen, write nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// What became of one imported message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Imported {
    /// It was not there and is now.
    Created,
    /// It was there; acknowledgements were added to it.
    Updated,
    /// It was there, the same.
    Unchanged,
    /// Another message with the same id is there; nothing was written.
    Conflict,
}

/// The answer to an import: one outcome for each message, in the same order.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ImportOutcomes {
    /// The outcomes.
    pub outcomes: Vec<Imported>,
}
