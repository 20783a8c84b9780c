//! `coord_get_notifications`.

use super::reply::Reply;
use super::{hundred, limit};
use crate::mcp::Backend;
use mainstay_api::mail::{Content, MarkRead, ReadInbox};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    #[serde(default = "hundred")]
    limit: i64,
}

#[derive(Debug, Serialize)]
pub(super) struct Answer {
    success: bool,
    count: usize,
    notifications: Vec<Event>,
}

#[derive(Debug, Serialize)]
struct Event {
    event: &'static str,
    message_id: String,
    #[serde(rename = "type")]
    kind: String,
    from: String,
    to: String,
    requires_ack: bool,
    timestamp: String,
}

impl Event {
    fn of(content: &Content) -> Self {
        Self {
            event: "message_published",
            message_id: content.id.to_string(),
            kind: content.kind.to_string(),
            from: content.from.to_string(),
            to: content.to.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(","),
            requires_ack: content.requires_ack,
            timestamp: content.timestamp.to_seconds_text(),
        }
    }
}

/// The oldest unread mail, up to the limit, newest first as the original gave it. What is returned is marked as read,
/// and nothing else: the original forgot whatever was beyond the limit.
pub(super) async fn call(backend: &dyn Backend, given: Given) -> Reply<Answer> {
    let read = ReadInbox { limit: Some(limit(given.limit)?), ..ReadInbox::default() };
    let unread = backend.inbox(read).await?.messages;
    let ids: Vec<_> = unread.iter().map(|message| message.content.id.clone()).collect();
    if !ids.is_empty() {
        backend.mark_read(MarkRead { ids }).await?;
    }
    let notifications: Vec<_> = unread.iter().rev().map(|message| Event::of(&message.content)).collect();
    Ok(Answer { success: true, count: notifications.len(), notifications })
}
