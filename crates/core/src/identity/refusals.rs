//! Why identity refuses, in words that say what to do and no more than the caller may know.

use crate::error::Error;
use mainstay_api::{Code, Timestamp};

/// The one answer to a login that fails, whatever it was that did not fit.
pub(super) fn login_failed() -> Error {
    Error::new(
        Code::LoginFailed,
        "the name, the password or the code is not right",
        "Check what you typed. After several wrong attempts the account is locked for a while.",
    )
}

/// Too many guesses.
pub(super) fn locked(until: Timestamp, now: Timestamp) -> Error {
    let wait_ms = u64::try_from(until.as_millis() - now.as_millis()).unwrap_or(0).max(1);
    Error::new(
        Code::AccountLocked,
        "there were too many wrong attempts for this account",
        "Wait, then try again. Each further attempt that fails makes the wait longer.",
    )
    .retry_after_ms(wait_ms)
}

/// A challenge that does not exist any more.
pub(super) fn challenge_ended() -> Error {
    Error::new(
        Code::ChallengeInvalid,
        "the challenge has ended, or was answered too often",
        "Begin anew with `mainstay login`, or POST /v1/auth/login.",
    )
}

/// A record that is not there.
pub(super) fn not_found(what: &str) -> Error {
    Error::new(
        Code::IdentityNotFound,
        format!("there is no such {what}"),
        format!("List what there is with `mainstay {what} list`."),
    )
}

/// A name that is taken.
pub(super) fn taken() -> Error {
    Error::new(Code::IdentityExists, "a user of this name exists", "Choose another name.")
}

/// As many as there may be.
pub(super) fn full(what: &str, most: u32) -> Error {
    Error::new(
        Code::IdentityFull,
        format!("there are {most} {what}s, as many as there may be"),
        format!("Remove {what}s that nobody uses."),
    )
}

/// A second factor that is there already.
pub(super) fn second_factor_exists() -> Error {
    Error::new(
        Code::SecondFactorExists,
        "this account has a second factor",
        "Remove it first: `mainstay totp remove`, or DELETE /v1/auth/totp.",
    )
}

/// A change of weight by somebody who showed the password, and no code.
pub(super) fn second_factor_required() -> Error {
    Error::new(
        Code::SecondFactorRequired,
        "this account has a second factor, and the call has no code of it",
        "Repeat the call with `code`: the six digits that the authenticator shows.",
    )
}

/// A call that only a user of this installation can make.
pub(super) fn not_a_user() -> Error {
    Error::new(
        Code::Forbidden,
        "this call is about the account of a user, and the credential is no session of one",
        "Log in with `mainstay login`, and use the token of the session.",
    )
}

/// A record that somebody else changed again and again.
pub(super) fn contended() -> Error {
    Error::new(Code::StoreBusy, "the account was changed by others at the same time", "Repeat the call.")
        .retry_after_ms(200)
}
