//! Why a call failed.

use mainstay_api::errors::{Applied, Code, Problem};

/// Why a call failed. Every kind reduces to a problem document, see [`ClientError::problem`].
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server answered with a problem.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// No connection could be made, or it broke before the answer was complete.
    #[error("{detail}: {cause}")]
    Connection {
        /// What was being done, and to whom.
        detail: String,
        /// What the transport said.
        cause: String,
        /// Whether the request may have arrived.
        applied: Applied,
    },
    /// The answer did not come in time.
    #[error("no answer within {after_ms} ms")]
    TimedOut {
        /// How long was waited, in milliseconds.
        after_ms: u64,
    },
    /// The answer was not one that a Mainstay server gives.
    #[error("the answer is not one of a Mainstay server: {detail}")]
    Protocol {
        /// What was wrong with it.
        detail: String,
        /// HTTP status of the answer.
        status: u16,
    },
    /// The call could not be made from these options or values.
    #[error("{detail}")]
    Unusable {
        /// What is wrong.
        detail: String,
        /// How to fix it.
        help: &'static str,
    },
}

impl ClientError {
    /// The error as a problem document.
    #[must_use]
    pub fn problem(self) -> Problem {
        let retry_help = "Check the address, and that `mainstay serve` runs there; then repeat the call.";
        match self {
            Self::Problem(problem) => *problem,
            Self::Connection { ref applied, .. } => {
                let applied = *applied;
                Problem { applied, ..Problem::new(Code::Unreachable, self.to_string(), retry_help) }
            }
            Self::TimedOut { .. } => {
                Problem { applied: Applied::Unknown, ..Problem::new(Code::TimedOut, self.to_string(), retry_help) }
            }
            // What stands before a server says that the server is away; a repetition may find it back.
            Self::Protocol { status: 502..=504, .. } => {
                Problem { applied: Applied::Unknown, ..Problem::new(Code::Unreachable, self.to_string(), retry_help) }
            }
            Self::Protocol { .. } => Problem {
                applied: Applied::Unknown,
                ..Problem::new(
                    Code::Internal,
                    self.to_string(),
                    "Check that the address is that of a Mainstay server, of the same version or a newer one.",
                )
            },
            Self::Unusable { detail, help } => Problem::new(Code::SettingInvalid, detail, help),
        }
    }

    /// The code with which a server refused the call; none where the call failed otherwise.
    #[must_use]
    pub fn refusal(&self) -> Option<Code> {
        match self {
            Self::Problem(problem) => Some(problem.code),
            _ => None,
        }
    }

    /// Whether a write may have taken place.
    #[must_use]
    pub fn applied(&self) -> Applied {
        match self {
            Self::Problem(problem) => problem.applied,
            Self::Connection { applied, .. } => *applied,
            Self::TimedOut { .. } | Self::Protocol { .. } => Applied::Unknown,
            Self::Unusable { .. } => Applied::No,
        }
    }

    /// The same error, of a call that an earlier attempt may have carried out.
    pub(crate) fn maybe_applied(mut self) -> Self {
        match &mut self {
            Self::Problem(problem) => problem.applied = Applied::Unknown,
            Self::Connection { applied, .. } => *applied = Applied::Unknown,
            Self::TimedOut { .. } | Self::Protocol { .. } | Self::Unusable { .. } => {}
        }
        self
    }

    /// Whether the same call may succeed later, unchanged.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Problem(problem) => problem.retryable,
            Self::Connection { .. } | Self::TimedOut { .. } | Self::Protocol { status: 502..=504, .. } => true,
            Self::Protocol { .. } | Self::Unusable { .. } => false,
        }
    }

    /// How long the server asked to wait before a repetition, in milliseconds.
    #[must_use]
    pub fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Self::Problem(problem) => problem.retry_after_ms,
            _ => None,
        }
    }
}

impl From<ClientError> for Problem {
    fn from(error: ClientError) -> Self {
        error.problem()
    }
}
