//! What mail needs from a store.

use crate::error::Result;
use async_trait::async_trait;
use bytes::Bytes;
use mainstay_api::mail::{Ack, Delivery, ImportMessage, Imported, InboxCounts, MailStats, Receipt};
use mainstay_api::{Epoch, InstanceId, MessageId, MessageType, Namespace, Offset, Timestamp};

/// Bounds of what one namespace keeps. Messages that wait for an acknowledgement are never dropped to make room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InboxLimits {
    /// Messages in one inbox; above it the oldest that wait for nothing leave the inbox.
    pub max_inbox: u32,
    /// Messages in one inbox that wait for an acknowledgement; above it a send is refused.
    pub max_pending: u32,
    /// Messages in the namespace; above it the oldest that wait for nothing are deleted.
    pub max_messages: u32,
}

/// Who receives a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipients {
    /// These, each once.
    Named(Vec<InstanceId>),
    /// Every instance that has joined the namespace, and every one that joins while the message is kept; never
    /// the sender.
    Everyone,
}

/// The request id of a write, under which its result is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestMemo {
    /// Principal and id, so that principals cannot meet.
    pub key: String,
    /// A digest of what was asked: the same id with another digest is a mistake of the caller.
    pub fingerprint: String,
    /// Until when it is remembered.
    pub until: Timestamp,
}

/// A message to append.
#[derive(Debug, Clone)]
pub struct Append {
    /// Where.
    pub namespace: Namespace,
    /// The id.
    pub id: MessageId,
    /// The sender.
    pub from: InstanceId,
    /// The type.
    pub kind: MessageType,
    /// The thread.
    pub thread: Option<MessageId>,
    /// The subject, lower case, for the text filter.
    pub subject_folded: String,
    /// Whether recipients are asked to acknowledge.
    pub requires_ack: bool,
    /// The time that lists are ordered by.
    pub timestamp: Timestamp,
    /// When it disappears.
    pub expires_at: Timestamp,
    /// The message as it is kept: opaque to the store.
    pub document: Bytes,
    /// Who receives it.
    pub recipients: Recipients,
    /// The request id, where there is one.
    pub memo: Option<RequestMemo>,
    /// The bounds.
    pub limits: InboxLimits,
    /// The present.
    pub now: Timestamp,
}

/// What became of an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It is stored.
    Stored {
        /// Its place in the log.
        offset: Offset,
        /// The life of the log.
        epoch: Epoch,
        /// Inboxes that it was put into.
        delivered: u32,
    },
    /// An earlier append with the same request id stored this message.
    Replayed(MessageId),
    /// The request id was used for something else.
    MemoMismatch,
    /// The id exists.
    DuplicateId,
    /// This recipient's inbox holds as many pending messages as it may.
    InboxFull(InstanceId),
    /// The namespace holds as many messages as it may, and all of them wait for an acknowledgement.
    NamespaceFull,
}

/// A message to import: the append, and the state that it had elsewhere.
#[derive(Debug, Clone)]
pub struct Merge {
    /// The message; its `memo` is ignored.
    pub append: Append,
    /// The state by recipient. A recipient that the message does not name (a broadcast) gets it delivered.
    pub receipts: Vec<Receipt>,
    /// Whether nobody needs to acknowledge it any more.
    pub settled: bool,
    /// Say what would happen, write nothing.
    pub dry_run: bool,
}

/// A place in a listing: time, then offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The time of the message.
    pub timestamp: Timestamp,
    /// Its offset.
    pub offset: Offset,
}

/// Which messages to list.
#[derive(Debug, Clone)]
pub struct ListQuery {
    /// Where.
    pub namespace: Namespace,
    /// Only this inbox; `all` for broadcasts.
    pub recipient: Option<InstanceId>,
    /// Only from this sender.
    pub sender: Option<InstanceId>,
    /// Only this type.
    pub kind: Option<MessageType>,
    /// Only this thread.
    pub thread: Option<MessageId>,
    /// Only what waits for an acknowledgement.
    pub pending: bool,
    /// Only at or after.
    pub since: Option<Timestamp>,
    /// Only before.
    pub until: Option<Timestamp>,
    /// Only subjects that contain this, both in lower case.
    pub subject_folded: Option<String>,
    /// The direction.
    pub oldest_first: bool,
    /// Messages at most.
    pub limit: u32,
    /// Where the last page ended.
    pub after: Option<Place>,
    /// Whose receipt to include.
    pub viewer: Option<InstanceId>,
    /// Include every receipt.
    pub receipts: bool,
    /// The present; what has expired is not listed.
    pub now: Timestamp,
}

/// A message as a store returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its place in the log.
    pub offset: Offset,
    /// The message as it was given.
    pub document: Bytes,
    /// How far it has got.
    pub delivery: Delivery,
    /// Whether nobody needs to acknowledge it any more.
    pub settled: bool,
    /// The viewer's receipt, where the viewer is a recipient.
    pub receipt: Option<Receipt>,
    /// Every receipt, where they were asked for, by recipient.
    pub receipts: Option<Vec<Receipt>>,
}

/// One page of a listing.
#[derive(Debug, Clone)]
pub struct ListPage {
    /// The life of the log.
    pub epoch: Epoch,
    /// The messages.
    pub rows: Vec<Row>,
    /// Where the page ended; absent where the listing ended.
    pub next: Option<Place>,
}

/// A read of one inbox in the order of arrival.
#[derive(Debug, Clone)]
pub struct TailQuery {
    /// Where.
    pub namespace: Namespace,
    /// Whose inbox; its receipts are included.
    pub recipient: InstanceId,
    /// After this offset.
    pub after: Offset,
    /// Pass over what the recipient has read.
    pub unread_only: bool,
    /// Only this type.
    pub kind: Option<MessageType>,
    /// Only from this sender.
    pub sender: Option<InstanceId>,
    /// Messages at most; 0 asks for the head alone.
    pub limit: u32,
    /// The present; what has expired is not returned.
    pub now: Timestamp,
}

/// The answer to a [`TailQuery`].
#[derive(Debug, Clone)]
pub struct TailPage {
    /// The life of the log.
    pub epoch: Epoch,
    /// The messages, oldest first.
    pub rows: Vec<Row>,
    /// The last offset examined; the head of the namespace where all was examined.
    pub position: Offset,
    /// Whether something after `position` was not examined.
    pub more: bool,
    /// The newest offset that ever left this inbox unread.
    pub dropped_to: Option<Offset>,
    /// Whether the recipient is a member. Where it is not, broadcasts are not in its inbox until it joins.
    pub member: bool,
}

/// An acknowledgement to record.
#[derive(Debug, Clone)]
pub struct Acknowledge {
    /// Where.
    pub namespace: Namespace,
    /// The message.
    pub id: MessageId,
    /// The recipient whose state changes.
    pub recipient: InstanceId,
    /// Who, when, with which words.
    pub ack: Ack,
}

/// What became of an acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AckOutcome {
    /// It stands, or an earlier one does.
    Stands {
        /// The message with the recipient's receipt.
        row: Box<Row>,
        /// The life of the log.
        epoch: Epoch,
        /// Whether another one, given before, stands.
        already: bool,
    },
    /// There is no such message.
    NotFound,
    /// The message is not in this recipient's inbox, and never was.
    NotRecipient,
}

/// Messages to mark as read.
#[derive(Debug, Clone)]
pub struct MarkRead {
    /// Where.
    pub namespace: Namespace,
    /// Whose inbox.
    pub recipient: InstanceId,
    /// Which.
    pub ids: Vec<MessageId>,
    /// The present.
    pub now: Timestamp,
}

/// Mail in a store.
///
/// The mail of a namespace is one aggregate: every method that writes does so in one atomic step, and such steps
/// are totally ordered. What was answered is durable to the degree that the store is. Every write wakes the
/// readers of the inboxes that it changed, after it took effect.
///
/// Offsets grow with every append of a namespace and follow the clock given (`max(last + 1, now in microseconds)`),
/// so that a store which lost its last moments in a crash does not use an offset twice.
#[async_trait]
pub trait MailStore: Send + Sync {
    /// Stores a message, puts it into the inbox of each recipient and remembers the request id: all or nothing.
    /// An earlier result of the same request id wins over every other outcome. May delete a few messages that have
    /// expired, so that a store which no server maintains does not grow for ever.
    async fn append(&self, append: Append) -> Result<Appended>;

    /// What is remembered under a request id: `Replayed`, `MemoMismatch`, or nothing. For a request that cannot be
    /// appended any more, to tell a repetition from a mistake.
    async fn recall(&self, namespace: &Namespace, memo: &RequestMemo, now: Timestamp) -> Result<Option<Appended>>;

    /// Stores a message with its state, or adds the acknowledgements that the stored one lacks. A stored
    /// acknowledgement is never replaced. The bounds apply as for an append, except that nothing is refused.
    /// A message that has expired by the present of the append is [`Imported::Unchanged`], and nothing is written.
    async fn merge(&self, merge: Merge) -> Result<Imported>;

    /// Reads one message, with every receipt and the viewer's. `None` where it does not exist or has expired.
    async fn find(
        &self,
        namespace: &Namespace,
        id: &MessageId,
        viewer: Option<&InstanceId>,
        now: Timestamp,
    ) -> Result<Option<(Epoch, Row)>>;

    /// Lists messages by time, then offset. A page may end early where the store examined as much as one call may.
    async fn list(&self, query: ListQuery) -> Result<ListPage>;

    /// Reads an inbox in the order of arrival.
    async fn tail(&self, query: TailQuery) -> Result<TailPage>;

    /// Records an acknowledgement; the first one stands. Also marks the message as read.
    async fn acknowledge(&self, acknowledge: Acknowledge) -> Result<AckOutcome>;

    /// Marks messages as read and returns how many were unread. Unknown ids are passed over.
    async fn mark_read(&self, mark: MarkRead) -> Result<u32>;

    /// Makes an instance a member of the namespace, so that broadcasts reach it, and delivers the newest broadcasts
    /// that are kept ([`super::MAX_BROADCASTS_ON_JOIN`]). Returns whether it was not a member before. For a member
    /// it is a cheap read on most calls.
    async fn join(&self, namespace: &Namespace, instance: &InstanceId, now: Timestamp) -> Result<bool>;

    /// Counts the mail of an instance. What has expired may be counted until [`MailStore::purge`] removed it.
    async fn counts(&self, namespace: &Namespace, instance: &InstanceId) -> Result<InboxCounts>;

    /// The mail of a namespace in numbers.
    async fn stats(&self, namespace: &Namespace) -> Result<MailStats>;

    /// Deletes at most `limit` messages that have expired, in any namespace, and forgets members that were not seen
    /// since `members_since`. Returns how many messages it deleted.
    async fn purge(&self, now: Timestamp, members_since: Timestamp, limit: u32) -> Result<u32>;
}

impl ListQuery {
    /// A query for all messages of a namespace, newest first.
    #[must_use]
    pub fn all(namespace: Namespace, limit: u32, now: Timestamp) -> Self {
        Self {
            namespace,
            recipient: None,
            sender: None,
            kind: None,
            thread: None,
            pending: false,
            since: None,
            until: None,
            subject_folded: None,
            oldest_first: false,
            limit,
            after: None,
            viewer: None,
            receipts: false,
            now,
        }
    }
}

impl Row {
    /// The message as an import takes it; its receipts must have been asked for.
    ///
    /// # Errors
    /// `store.inconsistent` where the document cannot be read.
    pub fn to_import(&self) -> Result<ImportMessage> {
        Ok(ImportMessage {
            content: super::parse::content(&self.document)?,
            receipts: self.receipts.clone().unwrap_or_default(),
            settled: self.settled,
        })
    }
}
