//! Errors of our own, in the shape of the protocol that was called.

use super::Answer;
use crate::Protocol;
use crate::errors::{self, Kind};
use http::header::{HeaderValue, RETRY_AFTER};
use mainstay_core::Error;
use mainstay_core::api::Timestamp;
use std::time::Duration;

/// Why nothing is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong.
    pub kind: Kind,
    /// In words.
    pub message: String,
    /// When to ask again.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// A refusal of this kind.
    #[must_use]
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after: None }
    }

    /// A request that cannot be understood.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, message)
    }

    /// The same, to be repeated at this time.
    #[must_use]
    pub fn until(self, at: Option<Timestamp>, now: Timestamp) -> Self {
        let wait_ms = at.map(|at| u64::try_from(at.as_millis().saturating_sub(now.as_millis())).unwrap_or(0));
        Self { retry_after: wait_ms.map(Duration::from_millis), ..self }
    }

    /// The answer.
    #[must_use]
    pub fn answer(&self, client: Protocol) -> Answer {
        let (status, body) = errors::of_kind(client, self.kind, &self.message);
        let mut answer = Answer::json(status, body);
        if let Some(wait) = self.retry_after {
            answer.headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_millis().div_ceil(1_000).max(1) as u64));
        }
        answer
    }

    /// What an error of this server means to a client.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        let problem = &error.problem;
        let kind = match problem.status {
            500..=599 if problem.retryable => Kind::Overloaded,
            status => Kind::of_status(status),
        };
        let retry_after = problem.retry_after_ms.map(Duration::from_millis);
        Self { kind, message: problem.detail.clone(), retry_after }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        if error.problem.status >= 500 {
            let (detail, internal) = (&error.problem.detail, error.internal.as_deref().unwrap_or_default());
            tracing::error!(code = %error.code(), detail, internal, "a request of the gateway failed");
        }
        Self::of(&error)
    }
}
