//! The endpoints of conversations.

pub(crate) mod append;
mod cards;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod end_turn;
pub(crate) mod erase;
pub(crate) mod events;
pub(crate) mod export;
pub(crate) mod export_all;
pub(crate) mod fork;
pub(crate) mod legacy;
mod lines;
pub(crate) mod list;
pub(crate) mod messages;
pub(crate) mod patch;
mod preconditions;
pub(crate) mod read;
pub(crate) mod renew_turn;
pub(crate) mod send;
pub(crate) mod subjects;
pub(crate) mod take_turn;

pub use cards::CardRules;
pub(crate) use send::{answered, by_user};

use mainstay_core::api::ConversationId;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Where a conversation is read.
fn location(id: &ConversationId) -> String {
    format!("/v1/conversations/{}", utf8_percent_encode(id.as_str(), NON_ALPHANUMERIC))
}
