//! Why mail is refused, in words that say what to do.

use crate::error::Error;
use mainstay_api::errors::Applied;
use mainstay_api::{Code, InstanceId, MessageId};

/// The message does not exist, or not any more.
pub(super) fn not_found(id: &MessageId) -> Error {
    Error::new(
        Code::MailNotFound,
        format!("there is no message {:?} in this namespace", id.as_str()),
        "List what there is with `mainstay mail list --all`, and check the namespace.",
    )
}

/// A repetition of a send whose message is not there any more.
pub(super) fn sent_and_gone(id: &MessageId) -> Error {
    let mut error = Error::new(
        Code::MailSentAndGone,
        format!("this request id sent the message {:?}, which is gone since", id.as_str()),
        "Nothing is to be done: it was sent once. Use a new request id for a new message.",
    );
    error.problem.applied = Applied::Yes;
    error
}

/// The message is not in this inbox.
pub(super) fn not_recipient(id: &MessageId, recipient: &InstanceId) -> Error {
    Error::new(
        Code::MailNotRecipient,
        format!("the message {:?} was not sent to {recipient}", id.as_str()),
        "Check who you are with `mainstay whoami`; to acknowledge for a recipient, name it with --for.",
    )
}

/// The id given is taken.
pub(super) fn duplicate_id(id: &MessageId) -> Error {
    Error::new(
        Code::MailDuplicateId,
        format!("a message with the id {:?} exists", id.as_str()),
        "Leave the id out, and one is made; or choose another.",
    )
}

/// The request id was used for something else.
pub(super) fn memo_mismatch() -> Error {
    Error::new(
        Code::RequestIdReused,
        "this request id was used for another message",
        "Give every new message a request id of its own, and repeat an id only with the same content.",
    )
}

/// A recipient has too much that waits.
pub(super) fn inbox_full(recipient: &InstanceId, max_pending: u32) -> Error {
    Error::new(
        Code::MailInboxFull,
        format!("{recipient} has {max_pending} unacknowledged messages, as many as an inbox may hold"),
        "Wait until it acknowledges, send without asking for an acknowledgement, or raise MAINSTAY_MAIL_MAX_PENDING.",
    )
    .retry_after_ms(60_000)
}

/// The namespace has too much that waits.
pub(super) fn namespace_full(max_messages: u32) -> Error {
    Error::new(
        Code::MailInboxFull,
        format!("the namespace holds {max_messages} messages, and all of them wait for an acknowledgement"),
        "Acknowledge or let expire what is old, or raise MAINSTAY_MAIL_MAX_MESSAGES.",
    )
    .retry_after_ms(60_000)
}
