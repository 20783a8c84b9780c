//! Listing, and the mail of a namespace in numbers.

use crate::{InstanceId, MessageId, MessageType, Timestamp};
use serde::{Deserialize, Serialize};

/// Which messages to list. Filters are combined with *and*.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::IntoParams, schemars::JsonSchema)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListMessages {
    /// Only the inbox of this instance, broadcasts included; `all` for broadcasts alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub recipient: Option<InstanceId>,
    /// Only messages from this instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub sender: Option<InstanceId>,
    /// Only messages of this type.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub kind: Option<MessageType>,
    /// Only messages of this thread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub thread: Option<MessageId>,
    /// Only messages that wait for an acknowledgement: the recipient's, or anyone's where no recipient is named.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pending: bool,
    /// Only messages sent at or after this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
    /// Only messages sent before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
    /// Only messages whose subject contains this text, whatever the case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Oldest first instead of newest first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub oldest_first: bool,
    /// Messages on the page: 1 to 1,000, 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where the page before this one ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Include the receipt of every recipient.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub receipts: bool,
}

/// The mail of a namespace in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct MailStats {
    /// Messages kept.
    pub total_messages: u64,
    /// Messages for which an acknowledgement is still missing.
    pub pending_messages: u64,
    /// Messages kept, by type.
    pub messages_by_type: std::collections::BTreeMap<String, u64>,
    /// Instances that have read their mail here, and so receive broadcasts at once.
    pub instances: u64,
}

/// A type that messages may have.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct MessageTypes {
    /// Every type that a send accepts, in a stable order.
    pub types: Vec<String>,
}
