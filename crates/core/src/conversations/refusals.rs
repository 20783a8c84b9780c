//! Why a conversation is refused, in words that say what to do.

use super::port::{ConversationLimits, Full};
use crate::error::Error;
use mainstay_api::{Code, ConversationId, Timestamp};

/// There is none, or it is another user's: nobody can tell.
pub(super) fn not_found(id: &ConversationId) -> Error {
    Error::new(
        Code::ConversationNotFound,
        format!("you have no conversation {:?}", id.as_str()),
        "List what there is with `mainstay conversation list`, and check the credential and the namespace.",
    )
}

/// The id given is taken.
pub(super) fn exists(id: &ConversationId) -> Error {
    Error::new(
        Code::ConversationExists,
        format!("you have a conversation {:?}", id.as_str()),
        "Leave the id out, and one is made; or go on with the one that exists.",
    )
}

/// Somebody else changed it.
pub(super) fn conflict(current: u64) -> Error {
    let mut error = Error::new(
        Code::ConversationVersion,
        format!("the conversation has the version {current} by now"),
        "Read it again, and repeat the change with the current version where it still makes sense.",
    );
    error.problem.current_version = Some(current);
    error
}

/// Somebody else has the turn.
pub(super) fn turn_busy(until: Timestamp, now: Timestamp) -> Error {
    Error::new(
        Code::ConversationTurnBusy,
        format!("another turn of the conversation is running, until {until} unless it is renewed"),
        "Wait and repeat the call; or take the turn yourself, and give its token with the append.",
    )
    .retry_after_ms(u64::try_from(until.as_millis() - now.as_millis()).unwrap_or(1).max(1))
}

/// As many messages are being answered as may be.
pub(super) fn too_many_turns(max_turns: usize) -> Error {
    Error::new(
        Code::Overloaded,
        format!("{max_turns} messages are being answered, as many as the server takes on at a time"),
        "Repeat the call in a moment, or add a node.",
    )
    .retry_after_ms(1_000)
}

/// The caller has the turn no more.
pub(super) fn turn_lost() -> Error {
    Error::new(
        Code::ConversationTurnLost,
        "the turn that this call names is not running",
        "Take the turn again, and read what was written meanwhile. Renew a turn at a third of its length.",
    )
}

/// There is no room in it.
pub(super) fn full(which: Full, limits: ConversationLimits) -> Error {
    let detail = match which {
        Full::Messages => format!("with these messages it would have more than {}", limits.max_messages),
        Full::Bytes => format!("with these messages it would have more than {} bytes of them", limits.max_bytes),
    };
    Error::new(
        Code::ConversationFull,
        detail,
        "Begin a new conversation, fork this one at an earlier message, or raise the bound in the settings.",
    )
}

/// There is no room for another.
pub(super) fn too_many(max_conversations: u32) -> Error {
    Error::new(
        Code::ConversationTooMany,
        format!("you have {max_conversations} conversations, as many as one may have"),
        "Delete some that are done with, or raise the bound in the settings.",
    )
}

/// The request id was used for something else.
pub(super) fn memo_mismatch() -> Error {
    Error::new(
        Code::RequestIdReused,
        "this request id was used for another request",
        "Give every new request an id of its own, and repeat an id only with the same content.",
    )
}
