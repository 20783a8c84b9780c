//! Conversations of users with agents.

mod agent;
mod chat;
mod parse;
mod port;
mod records;
mod refusals;
mod service;

pub use agent::{Agent, AgentError, EchoAgent, Prompt};
pub use chat::{Chat, ChatRules, Said, Say, Started};
pub use port::{
    Append, Appended, ConversationLimits, ConversationStore, Create, Created, Fork, Forked, From, Full, Lifetime,
    ListPage, ListQuery, Lookup, MessageRow, MessagesPage, MessagesQuery, Owner, Patch, Patched, Place, Recalled,
    Record, Renew, Settle, Summary, Take, Taken, TurnKept, TurnRow, Written,
};
pub use service::{ConversationRules, ConversationService, Whose};

/// Most bytes of messages, or of what lists show, on one page; a page always holds at least one.
pub const MAX_PAGE_BYTES: usize = 4 * 1_024 * 1_024;
/// How long the result of a write is remembered under its request id: long enough for any retry, a day.
pub const REQUEST_MEMO_MS: i64 = 24 * 60 * 60 * 1_000;
/// Most conversations of an owner that one step of an erasure deletes.
pub const ERASE_STEP: u32 = 50;
