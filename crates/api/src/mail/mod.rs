//! Mail between instances: requests and responses.

mod inbox;
mod listing;
mod message;
mod receipts;
mod send;
mod transfer;

pub use inbox::{Gap, Inbox, InboxCounts, ReadInbox, Start};
pub use listing::{ListMessages, MailStats, MessageTypes};
pub use message::{Ack, Attachment, Content, Delivery, Message, Priority, Receipt};
pub use receipts::{AckMessage, Acknowledged, MarkRead, MarkedRead};
pub use send::{SendMessage, Sent};
pub use transfer::{ImportMessage, ImportMessages, ImportOutcomes, Imported};

/// Longest subject, in bytes.
pub const MAX_SUBJECT_BYTES: usize = 1_000;
/// Longest body, in bytes.
pub const MAX_BODY_BYTES: usize = 256 * 1_024;
/// Most recipients that one message names.
pub const MAX_RECIPIENTS: usize = 100;
/// Most attachments that one message refers to.
pub const MAX_ATTACHMENTS: usize = 32;
/// Longest comment of an acknowledgement, in bytes.
pub const MAX_COMMENT_BYTES: usize = 8 * 1_024;
/// Most messages on one page.
pub const MAX_PAGE: u32 = 1_000;
/// Messages on a page when the caller does not say.
pub const DEFAULT_PAGE: u32 = 100;
/// Longest long poll, in milliseconds.
pub const MAX_WAIT_MS: u64 = 60_000;

/// The 16 types of the founding document, in its order.
pub const TYPES: [&str; 16] = [
    "READY_FOR_REVIEW",
    "REVIEW_COMPLETE",
    "REVIEW_FAILED",
    "CONTRACT_CHANGE_PROPOSED",
    "CONTRACT_REVIEW_NEEDED",
    "CONTRACT_FEEDBACK",
    "CONTRACT_APPROVED",
    "CONTRACT_REJECTED",
    "META_CHANGE_REQUEST",
    "META_CHANGE_COMPLETE",
    "INTERFACE_UPDATE",
    "BLOCKING_ISSUE",
    "GENERAL",
    "STATUS_UPDATE",
    "HEARTBEAT",
    "NOTIFICATION",
];
/// The types that the original added later, in its order; with [`TYPES`] the 26 of its MCP server.
pub const LATER_TYPES: [&str; 10] = [
    "DEVOPS_STARTED",
    "DEVOPS_STEP_UPDATE",
    "DEVOPS_COMPLETE",
    "DEVOPS_FAILED",
    "SESSION_START",
    "SESSION_END",
    "SWARM_STARTED",
    "SWARM_REVIEWER_COMPLETE",
    "SWARM_COMPLETE",
    "SWARM_FAILED",
];
/// The types that stood only in the scripts, in files or in the documentation of the original.
pub const FILE_TYPES: [&str; 8] = [
    "CONTRACT_CHANGE_ACK",
    "CONTRACT_PUBLISHED",
    "READY_FOR_MERGE",
    "BUILD_BROKEN",
    "BUILD_FIXED",
    "DEVOPS_REQUEST",
    "PERMISSION_FORWARD",
    "WORKTREE_CONFLICT",
];
