//! Why the gateway refuses a key, in words that say what to do.

use super::port::{Limit, Refusal};
use crate::error::Error;
use mainstay_api::{Code, Timestamp};

/// A secret that is that of no key.
pub(super) fn unknown() -> Error {
    Error::new(
        Code::CredentialInvalid,
        "the key that came with the request is no key of this gateway",
        "Send a key that `mainstay gateway key create` made, as `Authorization: Bearer`, `x-api-key` or `x-goog-api-key`.",
    )
}

/// A model or a pool that a key does not name.
pub(super) fn not_allowed(what: &str, name: &str) -> Error {
    Error::new(
        Code::GatewayModelRefused,
        format!("this key may not use the {what} {name:?}"),
        "Ask for another one, or change the key: `mainstay gateway key change`.",
    )
}

/// A request that names no model, with a key that names those it may use.
pub(super) fn unnamed_model() -> Error {
    Error::new(
        Code::GatewayModelRefused,
        "this key may use certain models alone, and the request says of none",
        "Ask on a path that names a model, or use a key without `models`.",
    )
}

/// Why a request is not let in.
pub(super) fn refused(refusal: Refusal, now: Timestamp) -> Error {
    match refusal {
        Refusal::Disabled => {
            key_refused("this key is disabled", "Enable it: `mainstay gateway key change <id> --enable`.")
        }
        Refusal::Expired => key_refused("this key has ended", "Use another key, or give this one a later end."),
        Refusal::Limited { limit, retry_at } => {
            let what = match limit {
                Limit::RequestsPerMinute => "requests per minute",
                Limit::TokensPerMinute => "tokens per minute",
                Limit::RequestsPerDay => "requests per day",
                Limit::InFlight => "requests at a time",
            };
            let detail = format!("this key has as many {what} as it may");
            Error::new(Code::GatewayLimited, detail, "Wait as long as `Retry-After` says, then repeat the request.")
                .retry_after_ms(wait_ms(retry_at, now))
        }
        Refusal::Budget { retry_at } => {
            let detail = "what is left of the budget of this key does not cover what the request may cost";
            let help = "Ask for a shorter answer, wait for the next period of the budget, or raise it.";
            let error = Error::new(Code::GatewayBudgetSpent, detail, help);
            match retry_at {
                Some(at) => error.retry_after_ms(wait_ms(at, now)),
                None => error,
            }
        }
    }
}

fn key_refused(detail: &str, help: &str) -> Error {
    Error::new(Code::GatewayKeyRefused, detail, help)
}

fn wait_ms(at: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(at.as_millis() - now.as_millis()).unwrap_or(0).max(1)
}

/// A key that is not there.
pub(super) fn not_found() -> Error {
    let help = "List the keys with `mainstay gateway key list`.";
    Error::new(Code::GatewayKeyNotFound, "there is no such gateway key in this namespace", help)
}

/// A secret that another key has.
pub(super) fn exists() -> Error {
    let help = "Remove the other key first: `mainstay gateway key remove`.";
    Error::new(Code::GatewayKeyExists, "a gateway key with this secret exists", help)
}

/// A key that somebody else changed.
pub(super) fn conflict(version: u64) -> Error {
    let detail = format!("the gateway key has the version {version}");
    Error::new(Code::GatewayKeyVersion, detail, "Read the key again, and repeat the change with its version.")
}

/// As many keys as there may be.
pub(super) fn full(most: u32) -> Error {
    let detail = format!("the namespace has {most} gateway keys, as many as it may");
    Error::new(Code::GatewayKeysFull, detail, "Remove keys that nobody uses.")
}
