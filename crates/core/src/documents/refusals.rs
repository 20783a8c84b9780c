//! Why a document is refused, in words that say what to do.

use super::port::DocumentName;
use crate::error::Error;
use mainstay_api::Code;

/// There is none.
pub(super) fn not_found(name: &DocumentName) -> Error {
    Error::new(
        Code::DocumentNotFound,
        format!("there is no document {name} in this namespace"),
        "List what there is with `mainstay settings list`, and check the namespace and the collection.",
    )
}

/// Its history does not reach back so far.
pub(super) fn no_revision(name: &DocumentName, revision: u64) -> Error {
    Error::new(
        Code::DocumentNotFound,
        format!("the history of {name} has no text of revision {revision}"),
        "See what there is with `mainstay settings history`.",
    )
}

/// Somebody else changed it.
pub(super) fn conflict(name: &DocumentName, current: u64) -> Error {
    let now = if current == 0 { "is not there".to_owned() } else { format!("has the revision {current}") };
    let mut error = Error::new(
        Code::DocumentConflict,
        format!("the document {name} {now} by now"),
        "Read it again, and repeat the change with the current revision where it still makes sense.",
    );
    error.problem.current_version = Some(current);
    error
}

/// Others were always faster.
pub(super) fn contended(name: &DocumentName) -> Error {
    Error::new(
        Code::StoreBusy,
        format!("others change the document {name} all the time"),
        "Repeat the call with the same request id.",
    )
    .retry_after_ms(250)
}

/// The namespace is full.
pub(super) fn full(max_documents: u32) -> Error {
    Error::new(
        Code::DocumentsFull,
        format!("the namespace has {max_documents} documents, as many as it may"),
        "Delete documents that are not needed, or give those that are short-lived an end.",
    )
}

/// The request id was used for something else.
pub(super) fn memo_mismatch() -> Error {
    Error::new(
        Code::RequestIdReused,
        "the request id was used for another request",
        "Use a new request id for each request, and the same one only to repeat it.",
    )
}

/// Something is larger than it may be.
pub(super) fn too_large(what: &str, bytes: usize, most: usize) -> Error {
    Error::new(
        Code::TooLarge,
        format!("{what} has {bytes} bytes; {most} are allowed"),
        "Split it into several documents, or write it in several transactions.",
    )
}
