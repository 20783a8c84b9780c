//! The error of every rule and every port.

use mainstay_api::errors::{Applied, Code, Problem};

/// A failure: what to tell the caller, and what only the log may know.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub struct Error {
    /// What the caller is told.
    pub problem: Box<Problem>,
    /// What the log is told besides; may name hosts, paths and other internals.
    pub internal: Option<String>,
}

/// The result of every rule and every port.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of the given code, certainly not applied.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>, help: impl Into<String>) -> Self {
        Self { problem: Box::new(Problem::new(code, detail, help)), internal: None }
    }

    /// A request that breaks a rule.
    #[must_use]
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(Code::InvalidRequest, detail, "Correct the request and send it again; nothing was written.")
    }

    /// A store that does not answer.
    #[must_use]
    pub fn unavailable(detail: impl Into<String>, internal: impl Into<String>) -> Self {
        Self::new(
            Code::StoreUnavailable,
            detail,
            "Check that the store runs and that MAINSTAY_STORE names it, then repeat the call.",
        )
        .retry_after_ms(1_000)
        .internal(internal)
    }

    /// A record that cannot be: a defect, or a store edited by hand.
    #[must_use]
    pub fn inconsistent(internal: impl Into<String>) -> Self {
        Self::new(
            Code::StoreInconsistent,
            "the store holds a record that cannot be read",
            "Keep a copy of the store and report the log lines of this request.",
        )
        .internal(internal)
    }

    /// A failure that should not be possible.
    #[must_use]
    pub fn bug(internal: impl Into<String>) -> Self {
        Self::new(Code::Internal, "the server failed", "Report it with the request id; the log has the cause.")
            .internal(internal)
    }

    /// Adds what only the log may know.
    #[must_use]
    pub fn internal(mut self, internal: impl Into<String>) -> Self {
        self.internal = Some(internal.into());
        self
    }

    /// Says that a write may have taken place.
    #[must_use]
    pub fn maybe_applied(mut self) -> Self {
        self.problem.applied = Applied::Unknown;
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after_ms(mut self, retry_after_ms: u64) -> Self {
        self.problem.retry_after_ms = Some(retry_after_ms);
        self
    }

    /// Adds the values that would have been accepted.
    #[must_use]
    pub fn valid_values(mut self, values: Vec<String>) -> Self {
        self.problem.valid_values = values;
        self
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.problem.code
    }
}
