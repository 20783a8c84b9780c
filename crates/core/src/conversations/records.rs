//! What a store knows of a conversation.

use bytes::Bytes;
use mainstay_api::conversations::{Retention, RetentionMode, Status};
use mainstay_api::{ConversationId, Namespace, Subject, Timestamp};

/// Whose conversations. All conversations of one owner are one aggregate; what one owner has is not there for another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    /// Where.
    pub namespace: Namespace,
    /// Whose.
    pub subject: Subject,
}

/// A conversation, at a moment. One whose life has ended by then is not found, whether it was removed or not.
#[derive(Debug, Clone)]
pub struct Lookup {
    /// Whose.
    pub owner: Owner,
    /// Which.
    pub id: ConversationId,
    /// The present.
    pub now: Timestamp,
}

/// How long a conversation lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    /// The rule, where it is not pinned.
    pub retention: Retention,
    /// Whether it lives until it is deleted.
    pub pinned: bool,
}

impl Lifetime {
    /// When a life that begins, or is prolonged, at this moment ends.
    #[must_use]
    pub fn end(&self, now: Timestamp) -> Option<Timestamp> {
        let ttl_ms = i64::try_from(self.retention.ttl_ms).unwrap_or(i64::MAX);
        (!self.pinned).then(|| Timestamp::from_millis(now.as_millis().saturating_add(ttl_ms)))
    }

    /// When the life ends after it was used at this moment: never earlier than before, however late a clock is.
    #[must_use]
    pub fn after_use(&self, now: Timestamp, expires_at: Option<Timestamp>) -> Option<Timestamp> {
        match self.retention.mode {
            RetentionMode::Sliding => self.end(now).map(|end| expires_at.map_or(end, |before| before.max(end))),
            RetentionMode::Fixed => expires_at,
        }
    }
}

/// A turn that is running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnRow {
    /// Its fencing token.
    pub fence: u64,
    /// Who has taken it.
    pub holder: Option<String>,
    /// When its lease ends; at this moment it has ended.
    pub until: Timestamp,
}

/// What lists show of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The id.
    pub id: ConversationId,
    /// How it stands.
    pub status: Status,
    /// What lists show of it besides: opaque to the store.
    pub head: Bytes,
    /// Grows by one with every change of content: a patch, an append.
    pub version: u64,
    /// How many messages it has; also the place of the last one.
    pub messages: u64,
    /// How many bytes their documents have.
    pub bytes: u64,
    /// When it began.
    pub created_at: Timestamp,
    /// When its content last changed.
    pub updated_at: Timestamp,
    /// When it was last used.
    pub accessed_at: Timestamp,
    /// How long it lives.
    pub lifetime: Lifetime,
    /// When it ends; `None` where it is pinned.
    pub expires_at: Option<Timestamp>,
    /// The turn that is running.
    pub turn: Option<TurnRow>,
}

/// A conversation without its messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What lists show.
    pub summary: Summary,
    /// The documents that lists do not show: opaque to the store.
    pub body: Bytes,
    /// The state of its workflow: opaque to the store.
    pub workflow: Option<Bytes>,
}
