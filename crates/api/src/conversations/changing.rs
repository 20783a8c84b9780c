//! Beginning, changing, forking and deleting.

use super::{Conversation, Retention, Status};
use crate::ConversationId;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// A conversation to begin. Whose it is comes from the credential.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateConversation {
    /// The id to give it; a UUID made by the server where absent. An id that exists is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ConversationId>,
    /// The id under which other systems know it, at most 200 bytes; the same as `id` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// How an SDK refers to the conversation; kept as it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdk_conversation_ref: Option<Value>,
    /// How it stands; `active` where absent.
    #[serde(default)]
    pub status: Status,
    /// What it is about, at most 1,000 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The workflow that it runs, at most 200 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_id: Option<String>,
    /// Where the workflow is: a number from 0, or a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_step: Option<Value>,
    /// The data of the current step, an object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_data: Option<Value>,
    /// What the client keeps with it, an object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    /// The state of the workflow, an object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<Value>,
    /// Whether to keep it until it is deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    /// How long to keep it; what is configured for the tenant where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
}

/// The answer to [`CreateConversation`] and [`ForkConversation`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedConversation {
    /// The conversation.
    pub conversation: Conversation,
    /// Whether this was a repetition: an earlier call with the same request id began it.
    pub replayed: bool,
}

/// What to change of a conversation. What is absent stays; `null` removes what may be absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PatchConversation {
    /// How it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// What it is about.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub title: Option<Option<String>>,
    /// How an SDK refers to the conversation.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub sdk_conversation_ref: Option<Option<Value>>,
    /// The workflow that it runs.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub workflow_id: Option<Option<String>>,
    /// Where the workflow is.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub current_step: Option<Option<Value>>,
    /// The data of the current step; an object is merged into what is there (RFC 7396).
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub step_data: Option<Option<Value>>,
    /// What the client keeps with it; an object is merged into what is there (RFC 7396).
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub metadata: Option<Option<Value>>,
    /// The state of the workflow; an object is merged into what is there (RFC 7396).
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub workflow: Option<Option<Value>>,
    /// Whether to keep it until it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
    /// How long to keep it, from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
    /// Only where this is the version that stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<u64>,
}

/// Tells `null` from an absent field.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A conversation to fork off another: it begins with a copy of its messages.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ForkConversation {
    /// The id to give it; a UUID made by the server where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ConversationId>,
    /// The last message to copy; all of them where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<u64>,
    /// What it is about; the title of the other where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// The answer to a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeletedConversation {
    /// Whether there was such a conversation.
    pub deleted: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_told_from_absent() {
        let patch: PatchConversation = serde_json::from_str(r#"{"title":null,"metadata":{"a":null}}"#).unwrap();
        assert_eq!(patch.title, Some(None));
        assert_eq!(patch.workflow_id, None);
        assert_eq!(serde_json::to_string(&patch).unwrap(), r#"{"title":null,"metadata":{"a":null}}"#);
    }
}
