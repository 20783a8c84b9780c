//! What a failed command means: whether it ran, whether the connection is still good, whether to try again.

use crate::credentials::ABSENT;
use mainstay_core::{Error, api::Code};
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// What to do after a failed command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It did not run; the same connection may be used again.
    NotRun,
    /// It did not run; connect anew, the server has changed its role or is gone.
    NotRunReconnect,
    /// The server does not know the script; it did not run.
    NoScript,
    /// The slot lives elsewhere for now; it did not run.
    Ask,
    /// It may have run; connect anew.
    UnknownReconnect,
    /// It may have run; the answer is late, and later ones would be too.
    Late,
    /// It failed for good.
    Final,
}

/// Judges a failed command.
pub(crate) fn judge(error: &RedisError) -> Verdict {
    // What a command inside a script met, Redis 6.2 tells within the text of a plain error.
    let code = error.code().unwrap_or_default();
    let said = |word: &str| code == word || error.detail().is_some_and(|detail| detail.contains(&format!("-{word} ")));
    if said("READONLY") || said("MASTERDOWN") {
        return Verdict::NotRunReconnect;
    }
    if said("NOREPLICAS") || said("BUSY") {
        return Verdict::NotRun;
    }
    match error.kind() {
        ErrorKind::Server(ServerErrorKind::NoScript) => Verdict::NoScript,
        ErrorKind::Server(ServerErrorKind::Ask) => Verdict::Ask,
        ErrorKind::Server(
            ServerErrorKind::Moved
            | ServerErrorKind::TryAgain
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::BusyLoading,
        ) => Verdict::NotRun,
        ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown) => Verdict::NotRunReconnect,
        ErrorKind::ClusterConnectionNotFound
        | ErrorKind::MasterNameNotFoundBySentinel
        | ErrorKind::NoValidReplicasFoundBySentinel => Verdict::NotRunReconnect,
        ErrorKind::Io if error.is_connection_refusal() => Verdict::NotRunReconnect,
        ErrorKind::Io if error.is_timeout() => Verdict::Late,
        ErrorKind::Io | ErrorKind::Parse => Verdict::UnknownReconnect,
        _ if error.is_io_error() || error.is_connection_dropped() => Verdict::UnknownReconnect,
        _ => Verdict::Final,
    }
}

/// What the error says where the ACL of the user lacks a command, a key or a channel.
pub(crate) const FORBIDS: &str = "does not allow our user what we need";

/// Whether the server refused user and password, or there were none to show.
pub(crate) fn is_login(error: &RedisError) -> bool {
    error.kind() == ErrorKind::AuthenticationFailed || matches!(error.code(), Some("NOAUTH" | "WRONGPASS"))
}

/// The error that a caller gets for a command that failed and is not tried again.
pub(crate) fn to_error(error: &RedisError, what: &str, location: &str) -> Error {
    let internal = format!("{what}: {error}");
    let code = error.code().unwrap_or_default();
    let detail = error.detail().unwrap_or_default();
    match judge(error) {
        Verdict::Late => {
            Error::unavailable(format!("Redis at {location} did not answer in time"), internal).maybe_applied()
        }
        Verdict::UnknownReconnect => {
            Error::unavailable(format!("the connection to Redis at {location} broke"), internal).maybe_applied()
        }
        Verdict::NotRunReconnect | Verdict::NotRun | Verdict::Ask | Verdict::NoScript => {
            Error::unavailable(format!("Redis at {location} cannot serve now"), internal)
        }
        Verdict::Final if code == "OOM" || detail.contains("OOM command not allowed") => Error::new(
            Code::StoreFull,
            format!("Redis at {location} has reached its memory limit"),
            "Raise `maxmemory` or free space, then repeat the call. Nothing was written.",
        )
        .internal(internal),
        Verdict::Final if code == "MISCONF" || detail.contains("MISCONF") => Error::new(
            Code::StoreFull,
            format!("Redis at {location} refuses writes because it cannot save to its disk"),
            "Look at the log of Redis and free disk space. Nothing was written.",
        )
        .internal(internal),
        Verdict::Final if detail.starts_with(ABSENT) => {
            let detail = format!("there are no credentials for Redis at {location} that are valid now");
            let help = "Look at what MAINSTAY_REDIS_CREDENTIALS names; the log says why it gives none.";
            Error::new(Code::StoreUnavailable, detail, help).retry_after_ms(1_000).internal(internal)
        }
        Verdict::Final => match error.kind() {
            ErrorKind::Server(ServerErrorKind::NoPerm) => Error::new(
                Code::StoreUnavailable,
                format!("Redis at {location} {FORBIDS}"),
                "Allow the user the commands, keys and channel that the guide to stores lists.",
            )
            .internal(internal),
            ErrorKind::AuthenticationFailed => Error::new(
                Code::StoreUnavailable,
                format!("Redis at {location} refuses our user or password"),
                "Check user and password in MAINSTAY_STORE, or MAINSTAY_REDIS_USERNAME and MAINSTAY_REDIS_PASSWORD.",
            )
            .internal(internal),
            _ if matches!(code, "NOAUTH" | "WRONGPASS") => Error::new(
                Code::StoreUnavailable,
                format!("Redis at {location} asks for another user or password"),
                "Put user and password into MAINSTAY_STORE: redis://user:password@host, or set MAINSTAY_REDIS_USERNAME \
                 and MAINSTAY_REDIS_PASSWORD.",
            )
            .internal(internal),
            ErrorKind::InvalidClientConfig => {
                Error::new(Code::SettingInvalid, "the settings of Redis cannot be used", "Check the URL and TLS files.")
                    .internal(internal)
            }
            // A script that failed half-way may have written.
            _ => Error::bug(internal).maybe_applied(),
        },
    }
}
