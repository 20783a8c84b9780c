//! Conversations of a user with an agent: requests and responses. Names are written in camel case here, as the clients
//! of the chat routes know them.

mod changing;
mod chat;
mod export;
mod legacy;
mod listing;
mod message;
mod messages;
mod record;
mod turn;

pub use changing::{CreateConversation, CreatedConversation, DeletedConversation, ForkConversation, PatchConversation};
pub use chat::{Answered, SendText};
pub use export::{ErasedConversations, ExportLine};
pub use legacy::{
    ChatAnswer, ChatCardAction, ChatList, ChatListed, ChatSend, ChatStarted, ChatStatus, ChatStatusChanged,
};
pub use listing::ListConversations;
pub use message::{Kind, Message, MessageState, NewMessage, Role};
pub use messages::{AppendMessages, AppendedMessages, MessagePage, ReadMessages};
pub use record::{Conversation, ConversationSummary, ForkedFrom, Retention, RetentionMode, RunningTurn, Status};
pub use turn::{EndTurn, EndedTurn, RenewTurn, TakeTurn, Turn};

/// Longest title, in bytes.
pub const MAX_TITLE_BYTES: usize = 1_000;
/// Longest text of a reference such as the workflow's id or the holder of a turn, in bytes.
pub const MAX_REFERENCE_BYTES: usize = 200;
/// Largest of each of the documents of a conversation (metadata, step data, workflow, reference of an SDK), in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 256 * 1_024;
/// Most messages of one append.
pub const MAX_APPEND: usize = 100;
/// Most messages on one page, and most conversations.
pub const MAX_PAGE: u32 = 1_000;
/// Messages, or conversations, on a page when the caller does not say.
pub const DEFAULT_PAGE: u32 = 20;
/// Shortest lease of a turn, in milliseconds.
pub const MIN_LEASE_MS: u64 = 1_000;
/// Longest lease of a turn, in milliseconds: ten minutes. A holder that works longer renews it.
pub const MAX_LEASE_MS: u64 = 10 * 60 * 1_000;
/// The lease of a turn when the caller does not say, in milliseconds.
pub const DEFAULT_LEASE_MS: u64 = 30_000;
/// Shortest lifetime of a conversation, in milliseconds.
pub const MIN_TTL_MS: u64 = 1_000;
/// Longest lifetime of a conversation that is not pinned, in milliseconds: ten years.
pub const MAX_TTL_MS: u64 = 3_653 * 24 * 60 * 60 * 1_000;
