//! Acknowledging, and marking as read.

use super::{Ack, Message};
use crate::{InstanceId, MessageId};
use serde::{Deserialize, Serialize};

/// Acknowledges a message.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AckMessage {
    /// A word to the sender, at most 8 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The recipient whose acknowledgement this is, where it is not the caller; recorded as given by the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<InstanceId>,
}

/// The answer to an acknowledgement.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct Acknowledged {
    /// The message, with the receipt that now stands.
    pub message: Message,
    /// The acknowledgement that stands: the first one given.
    pub ack: Ack,
    /// Whether it had been acknowledged before this call.
    pub already: bool,
}

/// Marks messages as read by the caller.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkRead {
    /// The messages, 1 to 1,000. Ids that are not in the caller's inbox are passed over.
    pub ids: Vec<MessageId>,
}

/// The answer to [`MarkRead`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct MarkedRead {
    /// How many of them were unread until now.
    pub marked: u32,
}
