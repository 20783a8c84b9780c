//! What the rules of credentials refuse, in words.

use super::service::Refreshed;
use crate::error::Error;
use mainstay_api::{Code, Timestamp};

/// There is no such provider, or it has no credential.
pub(super) fn not_found() -> Error {
    Error::new(
        Code::TokensNotFound,
        "there is no such provider, or it has no credential",
        "List providers with `mainstay providers list`, and give it one with `mainstay providers credential set`.",
    )
}

/// Another version stands than was to be replaced.
pub(super) fn conflict(current: u64) -> Error {
    Error::new(
        Code::TokensConflict,
        format!("the credential has the version {current}, another than was expected"),
        "Look at it again; it may have been refreshed since.",
    )
}

/// Why a refresh that was asked for by hand brought nothing.
pub(super) fn not_refreshed(outcome: Refreshed, now: Timestamp) -> Error {
    match outcome {
        Refreshed::Dead(reason) => Error::new(
            Code::TokensDead,
            format!("the authorization server does not take the refresh token any more: {reason}"),
            "Log in anew and write the new credential with `mainstay providers credential set`.",
        ),
        Refreshed::Refused(reason) => Error::new(
            Code::TokensNotRefreshable,
            format!("the credential cannot be refreshed: {reason}"),
            "Check the `oauth` settings of the provider and its pool, and the credential.",
        ),
        Refreshed::Later { at, reason } => {
            let wait_ms = u64::try_from(at.as_millis().saturating_sub(now.as_millis())).unwrap_or(0);
            let help = "Try again later; the credential is kept as it is.";
            Error::new(Code::TokensPending, format!("the credential is not refreshed yet: {reason}"), help)
                .retry_after_ms(wait_ms.max(1))
        }
        Refreshed::Current(_) | Refreshed::NotFound => not_found(),
    }
}
