//! Mail between instances.

mod mirror;
mod parse;
mod port;
mod refusals;
mod service;

pub use mirror::{MailMirror, MirroredMail, StoreMirror};
pub use port::{
    AckOutcome, Acknowledge, Append, Appended, InboxLimits, ListPage, ListQuery, MailStore, MarkRead, Merge, Place,
    Recipients, RequestMemo, Row, TailPage, TailQuery,
};
pub use service::{MailRules, MailService};

/// Most old broadcasts that an instance receives when it first reads its mail: the newest ones.
pub const MAX_BROADCASTS_ON_JOIN: u32 = 1_000;
/// Most bytes of messages on one page; a page always holds at least one message.
pub const MAX_PAGE_BYTES: usize = 4 * 1_024 * 1_024;
/// How long the result of a write is remembered under its request id: long enough for any retry, a day.
pub const REQUEST_MEMO_MS: i64 = 24 * 60 * 60 * 1_000;
