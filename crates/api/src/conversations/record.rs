//! A conversation without its messages.

use crate::{ConversationId, SubjectId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How a conversation stands. Nothing but the caller changes it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It goes on.
    #[default]
    Active,
    /// It came to its end.
    Completed,
    /// It was left before its end.
    Abandoned,
    /// It was put away.
    Archived,
}

impl Status {
    /// Every status, as written.
    pub const ALL: [&'static str; 4] = ["active", "completed", "abandoned", "archived"];

    /// The status as written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize]
    }

    /// Finds a status by its text.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        [Self::Active, Self::Completed, Self::Abandoned, Self::Archived].into_iter().find(|s| s.as_str() == text)
    }
}

/// Whether use prolongs the life of a conversation.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum RetentionMode {
    /// It ends when nobody has used it for the whole time to live. Reading is use.
    #[default]
    Sliding,
    /// It ends when the time to live has passed since the retention was set.
    Fixed,
}

/// How long a conversation is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Retention {
    /// Whether use prolongs it.
    #[serde(default)]
    pub mode: RetentionMode,
    /// The time to live, in milliseconds: one second to ten years.
    pub ttl_ms: u64,
}

/// The turn that somebody has taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunningTurn {
    /// Who has taken it, as the taker called itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// Until when it lasts, unless it is renewed or ended.
    pub until: Timestamp,
}

/// Where a conversation was forked off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ForkedFrom {
    /// The conversation that it continues.
    pub id: ConversationId,
    /// The last message that it shares with that one.
    pub seq: u64,
}

/// A conversation as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConversationSummary {
    /// The id.
    pub id: ConversationId,
    /// The id under which other systems know it; the same as `id` where none was given.
    pub external_id: String,
    /// The user whose conversation it is.
    pub user_id: SubjectId,
    /// The tenant of that user.
    pub tenant_id: TenantId,
    /// How it stands.
    pub status: Status,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The workflow that it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_id: Option<String>,
    /// Where the workflow is: a number from 0, or a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_step: Option<Value>,
    /// Where it was forked off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forked_from: Option<ForkedFrom>,
    /// Grows with every change of the conversation: give it back to change only what you have seen.
    pub version: u64,
    /// How many messages it has; also the `seq` of the last one.
    pub message_count: u64,
    /// How many bytes its messages have.
    pub bytes: u64,
    /// When it began.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it was last used; reads count, to within a minute.
    pub last_accessed_at: Timestamp,
    /// When it ends; absent where it is pinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Whether it is kept until it is deleted.
    pub pinned: bool,
    /// How long it is kept where it is not pinned.
    pub retention: Retention,
    /// The turn that somebody has taken now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<RunningTurn>,
}

/// A conversation without its messages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Conversation {
    /// What lists show of it.
    #[serde(flatten)]
    pub summary: ConversationSummary,
    /// How an SDK refers to the conversation; kept as it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdk_conversation_ref: Option<Value>,
    /// The data of the current step of the workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_data: Option<Value>,
    /// What the client keeps with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    /// The state of the workflow, as an agent or a client wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<Value>,
}
