//! Why a token is refused.

use mainstay_core::Error;
use mainstay_core::api::Code;

/// How long a caller waits before it tries again when the keys are not there, in milliseconds.
const KEYS_RETRY_AFTER_MS: u64 = 5_000;

/// A token that is malformed, forged, or lacks what must be in it.
pub(super) fn invalid(reason: impl std::fmt::Display) -> Error {
    Error::new(
        Code::CredentialInvalid,
        format!("the token is not valid: {reason}"),
        "Get a new token of an issuer that this server trusts.",
    )
}

pub(super) fn too_long(limit_bytes: usize) -> Error {
    invalid(format!("it has more than {limit_bytes} bytes"))
}

pub(super) fn issuer() -> Error {
    Error::new(
        Code::IssuerMismatch,
        "the token says that it comes from an issuer that this server does not trust",
        "Use a token of a trusted issuer; an operator lists them as [[issuers]] in mainstay.toml.",
    )
}

pub(super) fn expired(what: &str) -> Error {
    Error::new(Code::TokenExpired, what, "Get a new token from the identity provider.")
}

pub(super) fn audience() -> Error {
    Error::new(
        Code::AudienceMismatch,
        "the token is meant for another service",
        "Ask the identity provider for a token for the audience that this server expects.",
    )
}

pub(super) fn tenant() -> Error {
    Error::new(
        Code::TenantNotAllowed,
        "the tenant of the token may not use this server",
        "An operator adds it to `tenants` of the issuer in mainstay.toml.",
    )
}

pub(super) fn keys_unavailable() -> Error {
    Error::new(
        Code::KeysUnavailable,
        "the keys of the issuer cannot be fetched, so its tokens cannot be checked",
        "Repeat the call; where it lasts, an operator looks at the log of this server and at the issuer.",
    )
    .retry_after_ms(KEYS_RETRY_AFTER_MS)
}
