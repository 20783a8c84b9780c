//! What conversations need from a store.

pub use super::records::{Lifetime, Lookup, Owner, Record, Summary, TurnRow};

use crate::error::Result;
use crate::mail::RequestMemo;
use async_trait::async_trait;
use bytes::Bytes;
use mainstay_api::conversations::{MessageState, Status};
use mainstay_api::{ConversationId, Timestamp};

/// A conversation to begin.
#[derive(Debug, Clone)]
pub struct Create {
    /// Whose, which, when.
    pub at: Lookup,
    /// How it stands.
    pub status: Status,
    /// See [`Summary::head`].
    pub head: Bytes,
    /// See [`Record::body`].
    pub body: Bytes,
    /// See [`Record::workflow`].
    pub workflow: Option<Bytes>,
    /// How long it lives.
    pub lifetime: Lifetime,
    /// Most conversations that the owner may have.
    pub max_conversations: u32,
    /// The request id, where there is one.
    pub memo: Option<RequestMemo>,
}

impl Create {
    /// The conversation as it is when it has begun.
    #[must_use]
    pub fn record(&self) -> Record {
        let now = self.at.now;
        let summary = Summary {
            id: self.at.id.clone(),
            status: self.status,
            head: self.head.clone(),
            version: 1,
            messages: 0,
            bytes: 0,
            created_at: now,
            updated_at: now,
            accessed_at: now,
            lifetime: self.lifetime,
            expires_at: self.lifetime.end(now),
            turn: None,
        };
        Record { summary, body: self.body.clone(), workflow: self.workflow.clone() }
    }
}

/// What became of a beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// It stands.
    Created,
    /// The owner has one with this id.
    Exists,
    /// An earlier call with the same request id began this one.
    Replayed(ConversationId),
    /// The request id was used for something else.
    MemoMismatch,
    /// The owner has as many as it may.
    TooMany,
}

/// What becomes of the messages of a turn that wait for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settle {
    /// They were answered.
    Done,
    /// They were not, and never will be.
    Failed,
}

/// The bounds of one conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConversationLimits {
    /// Most messages.
    pub max_messages: u64,
    /// Most bytes of messages.
    pub max_bytes: u64,
}

/// Messages to append, and what changes in the same step.
#[derive(Debug, Clone)]
pub struct Append {
    /// Where.
    pub at: Lookup,
    /// The messages, at most 100, opaque. None where only what follows is to happen.
    pub documents: Vec<Bytes>,
    /// Whether they wait for the answer of the turn `fence`.
    pub pending: bool,
    /// Only where this is the version that stands.
    pub expected_version: Option<u64>,
    /// The turn of the writer.
    pub fence: Option<u64>,
    /// What becomes of earlier messages of the turn that wait.
    pub settle: Option<Settle>,
    /// The new state of the workflow; unchanged where absent.
    pub workflow: Option<Bytes>,
    /// Whether to end the turn.
    pub release: bool,
    /// The bounds.
    pub limits: ConversationLimits,
    /// The request id, where there is one.
    pub memo: Option<RequestMemo>,
}

/// What an append wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The place of its first message.
    pub first_seq: u64,
    /// The place of its last message; one less than the first where it had none.
    pub last_seq: u64,
    /// The version after it.
    pub version: u64,
    /// The turn in which it was written.
    pub fence: Option<u64>,
}

/// Which bound an append would break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// That of messages.
    Messages,
    /// That of bytes.
    Bytes,
}

/// What became of an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It is stored.
    Stored {
        /// What was written.
        written: Written,
        /// When the conversation ends now.
        expires_at: Option<Timestamp>,
    },
    /// An earlier append to this conversation with the same request id wrote this.
    Replayed(Written),
    /// The request id was used for something else.
    MemoMismatch,
    /// The owner has no such conversation.
    NotFound,
    /// Another version stands.
    Conflict {
        /// This one.
        current: u64,
    },
    /// A turn is running, and the append named none.
    TurnBusy {
        /// When its lease ends.
        until: Timestamp,
    },
    /// The turn that the append named is not running.
    TurnLost,
    /// The conversation is full.
    Full(Full),
}

/// What is remembered of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recalled {
    /// It wrote this.
    Written(Written),
    /// It was something else.
    MemoMismatch,
}

/// A place in a listing: the newest change first; conversations that changed at the same moment stand in an order of
/// the store's own, the same on every page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// When the conversation last changed.
    pub updated_at: Timestamp,
    /// Its id.
    pub id: ConversationId,
}

/// Which conversations to list.
#[derive(Debug, Clone)]
pub struct ListQuery {
    /// Whose.
    pub owner: Owner,
    /// Only those of this status.
    pub status: Option<Status>,
    /// At most.
    pub limit: u32,
    /// Where the last page ended.
    pub after: Option<Place>,
    /// The present.
    pub now: Timestamp,
}

/// A page of conversations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPage {
    /// The conversations.
    pub rows: Vec<Summary>,
    /// Where the page ended, where there may be more.
    pub next: Option<Place>,
}

/// From where, and in which direction, messages are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// Those that follow this place.
    After(u64),
    /// Those nearest before this place.
    Before(u64),
}

/// Which messages to read.
#[derive(Debug, Clone)]
pub struct MessagesQuery {
    /// Of which conversation.
    pub at: Lookup,
    /// From where.
    pub from: From,
    /// At most.
    pub limit: u32,
}

/// A message as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// Its place.
    pub seq: u64,
    /// When it was stored.
    pub at: Timestamp,
    /// The turn in which it was written.
    pub fence: Option<u64>,
    /// Whether it waits for the answer of the running turn, or of one that ended without.
    pub state: Option<MessageState>,
    /// What was said: opaque.
    pub document: Bytes,
}

/// A page of messages, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessagesPage {
    /// The conversation at the same moment.
    pub summary: Summary,
    /// The messages.
    pub rows: Vec<MessageRow>,
    /// Whether there are more in the direction of reading.
    pub more: bool,
}

/// A change of a conversation.
#[derive(Debug, Clone)]
pub struct Patch {
    /// Which.
    pub at: Lookup,
    /// Only where this is the version that stands.
    pub expected_version: u64,
    /// How it stands from now on.
    pub status: Status,
    /// See [`Summary::head`].
    pub head: Bytes,
    /// See [`Record::body`].
    pub body: Bytes,
    /// See [`Record::workflow`].
    pub workflow: Option<Bytes>,
    /// A new lifetime, which begins now; unchanged where absent.
    pub lifetime: Option<Lifetime>,
}

impl Patch {
    /// The conversation as it is after the change.
    #[must_use]
    pub fn applied_to(&self, record: Record) -> Record {
        let (now, before) = (self.at.now, record.summary);
        let expires_at = match self.lifetime {
            Some(lifetime) => lifetime.end(now),
            None => before.lifetime.after_use(now, before.expires_at),
        };
        let summary = Summary {
            status: self.status,
            head: self.head.clone(),
            version: before.version + 1,
            updated_at: now,
            accessed_at: now,
            lifetime: self.lifetime.unwrap_or(before.lifetime),
            expires_at,
            ..before
        };
        Record { summary, body: self.body.clone(), workflow: self.workflow.clone() }
    }
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Patched {
    /// It stands.
    Patched,
    /// The owner has no such conversation.
    NotFound,
    /// Another version stands.
    Conflict {
        /// This one.
        current: u64,
    },
}

/// A turn to take.
#[derive(Debug, Clone)]
pub struct Take {
    /// Of which conversation.
    pub at: Lookup,
    /// What the taker calls itself.
    pub holder: Option<String>,
    /// The length of the lease, in milliseconds.
    pub ttl_ms: u64,
    /// Tells this call from every other: where the running turn was taken with the same key, it is given again.
    pub key: Option<String>,
}

/// What became of taking a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is the caller's.
    Taken {
        /// The fencing token.
        fence: u64,
        /// When the lease ends.
        until: Timestamp,
    },
    /// Another one is running.
    Busy {
        /// When its lease ends.
        until: Timestamp,
    },
    /// The owner has no such conversation.
    NotFound,
}

/// A turn to prolong.
#[derive(Debug, Clone)]
pub struct Renew {
    /// Of which conversation.
    pub at: Lookup,
    /// The fencing token.
    pub fence: u64,
    /// The length of the lease from now on, in milliseconds.
    pub ttl_ms: u64,
}

/// What became of prolonging or ending a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnKept {
    /// It runs until then, or ended at that moment by this call.
    Until(Timestamp),
    /// It was not running any more.
    Lost,
    /// The owner has no such conversation.
    NotFound,
}

/// A conversation to begin with the messages of another.
#[derive(Debug, Clone)]
pub struct Fork {
    /// The new one.
    pub create: Create,
    /// The one to copy from.
    pub source: ConversationId,
    /// The last message to copy.
    pub up_to: u64,
}

/// What became of a fork.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forked {
    /// As for a conversation that begins empty.
    Created(Created),
    /// The owner has no such source, or it has no message `up_to`.
    NoSource,
}

/// Conversations in a store. The conversations of one owner are one aggregate; every method is one atomic step on it
/// but [`ConversationStore::fork`], which appears at once when it is complete. A write is durable when it returns, wakes
/// the readers of the owner's conversations, and counts as use of the conversation: it refreshes `accessed_at`, and
/// the end of a sliding life. Reads do not, but for [`ConversationStore::touch`].
#[async_trait]
pub trait ConversationStore: Send + Sync {
    /// Begins a conversation. Asks in this order: the request id, the id, the bound.
    async fn create(&self, create: Create) -> Result<Created>;

    /// Finds a conversation.
    async fn find(&self, at: &Lookup) -> Result<Option<Record>>;

    /// Notes that a conversation was used; wakes nobody. Returns whether it was there.
    async fn touch(&self, at: &Lookup) -> Result<bool>;

    /// Lists conversations from an index, never touching their messages. What is in the index and nowhere else leaves
    /// it in passing. A page ends early where one call has examined enough.
    async fn list(&self, query: ListQuery) -> Result<ListPage>;

    /// Appends messages at the next places, without gaps, at a cost that does not grow with the conversation. Asks in
    /// this order: the conversation, the request id, the version, the turn, the bounds. While a turn is running, only
    /// its holder appends. An append without a fence that is stored ends a lapsed turn for every clock. A request id
    /// whose messages failed, by [`Settle::Failed`] or because the turn that they waited for is over, is not remembered.
    async fn append(&self, append: Append) -> Result<Appended>;

    /// What an append to this conversation with this request id wrote, where it is remembered.
    async fn recall(&self, at: &Lookup, memo: &RequestMemo) -> Result<Option<Recalled>>;

    /// Reads messages; `None` where the owner has no such conversation. A page holds at most
    /// [`MAX_PAGE_BYTES`](super::MAX_PAGE_BYTES), and at least one message where there is one.
    async fn messages(&self, query: MessagesQuery) -> Result<Option<MessagesPage>>;

    /// Changes a conversation.
    async fn patch(&self, patch: Patch) -> Result<Patched>;

    /// Deletes a conversation with its messages and what is remembered of appends to it. That it was begun stays
    /// remembered, so that a repetition does not begin it again. Returns whether it was there.
    async fn delete(&self, at: &Lookup) -> Result<bool>;

    /// Deletes conversations of an owner, at most `limit`, expired ones too. Returns how many; at 0 nothing of the owner
    /// is left.
    async fn erase(&self, owner: &Owner, limit: u32) -> Result<u32>;

    /// Takes the turn where none is running. The fencing token is greater than every earlier one of the conversation,
    /// and of the one that it was forked off.
    async fn take_turn(&self, take: Take) -> Result<Taken>;

    /// Prolongs a turn that is running. Wakes nobody.
    async fn renew_turn(&self, renew: Renew) -> Result<TurnKept>;

    /// Ends a turn that is running; messages that wait for it have failed.
    async fn end_turn(&self, at: &Lookup, fence: u64) -> Result<TurnKept>;

    /// Begins a conversation with the messages of another of the same owner, at the same places. Messages that wait,
    /// or have failed, are failed in the copy.
    async fn fork(&self, fork: Fork) -> Result<Forked>;

    /// Removes conversations and requests whose life has ended, at most `limit`, of any owner, where the store does
    /// not remove them by itself. Returns how many conversations, or `limit` where one was too long for a single step and
    /// more is left to do.
    async fn purge(&self, now: Timestamp, limit: u32) -> Result<u32>;
}
