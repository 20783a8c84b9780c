//! Failures of SQLite, in the words of the catalogue.

use mainstay_core::Error;
use mainstay_core::api::Code;
use rusqlite::ErrorCode;
use rusqlite::ffi;

/// Why a step in the database failed: SQLite, or a record that cannot be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// SQLite refused.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// A rule of ours refused.
    #[error(transparent)]
    Core(#[from] Error),
}

/// The result of a step in the database.
pub(crate) type Outcome<T> = std::result::Result<T, Failure>;

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Sqlite(error) => from_sqlite(&error),
            Failure::Core(error) => error,
        }
    }
}

/// The error for the same failure of another job of the batch: errors have no `Clone`, problems do.
pub(crate) fn again(error: &Error) -> Error {
    Error { problem: error.problem.clone(), internal: error.internal.clone() }
}

/// The store is locked, or more is asked of it than it may hold in its queue.
pub(crate) fn busy(detail: &str) -> Error {
    let help = "Repeat the call with the same request id. If it persists, find the process that keeps the file locked.";
    Error::new(Code::StoreBusy, detail, help).retry_after_ms(250)
}

/// The store was closed by this process.
pub(crate) fn closed() -> Error {
    Error::unavailable("the store is closed", "the writer has ended")
}

/// Puts a failure of SQLite into the words of the catalogue.
pub(crate) fn from_sqlite(error: &rusqlite::Error) -> Error {
    let internal = format!("sqlite: {error}");
    let rusqlite::Error::SqliteFailure(cause, _) = error else {
        return of_value(error, internal);
    };
    match cause.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => {
            busy("the database file is locked by another process").internal(internal)
        }
        ErrorCode::DiskFull => full(internal),
        ErrorCode::SystemIoFailure if is_write(cause.extended_code) => full(internal),
        ErrorCode::NotADatabase => incompatible("the file is not a database").internal(internal),
        ErrorCode::DatabaseCorrupt => Error::new(
            Code::StoreInconsistent,
            "the database file is damaged",
            "Keep a copy of the file, and restore a backup or recover it with `sqlite3 <file> .recover`.",
        )
        .internal(internal),
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied => {
            unavailable("the database file or its folder may not be written", internal)
        }
        ErrorCode::CannotOpen => unavailable("the database file cannot be opened", internal),
        ErrorCode::SystemIoFailure => unavailable("the disk under the database failed", internal),
        ErrorCode::OutOfMemory => unavailable("there is no memory left", internal),
        _ => Error::bug(internal),
    }
}

/// The file is not one that this version may use.
pub(crate) fn incompatible(detail: impl Into<String>) -> Error {
    Error::new(
        Code::StoreIncompatible,
        detail,
        "Name another file in MAINSTAY_STORE, or use the version of Mainstay that wrote it. Nothing was changed.",
    )
}

/// The file cannot be used as things are.
pub(crate) fn unavailable(detail: impl Into<String>, internal: impl Into<String>) -> Error {
    Error::new(
        Code::StoreUnavailable,
        detail,
        "Check the path in MAINSTAY_STORE, and that this user may read and write the file and its folder.",
    )
    .internal(internal)
}

/// Whether a commit that failed in this way may stand all the same. A write-ahead log that could not be written lacks
/// its commit frame, which comes last; one that could not be synced may hold it.
pub(crate) fn commit_is_undecided(error: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(cause, _) = error else { return true };
    let decided = matches!(cause.code, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::DiskFull);
    !decided && !is_write(cause.extended_code)
}

fn full(internal: String) -> Error {
    Error::new(
        Code::StoreFull,
        "the disk that holds the database has no room left",
        "Free space, then repeat the call. What was acknowledged before is safe.",
    )
    .internal(internal)
}

fn is_write(extended_code: i32) -> bool {
    matches!(extended_code, ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_SHMSIZE | ffi::SQLITE_IOERR_TRUNCATE)
}

/// A value that does not have the type its column promises: the file was edited by hand, or the query is wrong.
fn of_value(error: &rusqlite::Error, internal: String) -> Error {
    match error {
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::QueryReturnedNoRows => Error::inconsistent(internal),
        _ => Error::bug(internal),
    }
}

/// Puts a failure of the file system into the words of the catalogue.
pub(crate) fn io(detail: impl Into<String>) -> impl FnOnce(std::io::Error) -> Error {
    let detail = detail.into();
    move |error| match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => full(format!("{detail}: {error}")),
        _ => unavailable(format!("{detail}: {error}"), error.to_string()),
    }
}
