//! Why a command did not succeed.

use mainstay_api::{Code, Problem};
use mainstay_client::ClientError;

/// The exit status of a command that failed for another reason than usage or an absent store.
pub const FAILED: u8 = 1;

/// Why a command did not succeed.
#[derive(Debug)]
pub enum Failure {
    /// Something to report on stderr.
    Problem(Box<Problem>),
    /// Whoever read the output has gone, as `head` does: nothing to report, nothing failed.
    BrokenPipe,
    /// The command has said what there was to say; this is its exit status.
    Status(u8),
}

/// The result of every command.
pub type Result<T = (), E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// A failure of the given code.
    pub fn new(code: Code, detail: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Problem(Box::new(Problem::new(code, detail, help)))
    }

    /// A failure of the machine under the command, such as a file that cannot be read.
    pub fn io(what: impl std::fmt::Display, cause: &std::io::Error) -> Self {
        let detail = format!("{what}: {cause}");
        Self::Problem(Box::new(Problem {
            title: "The command failed".into(),
            ..Problem::new(Code::InvalidRequest, detail, "Check the path, the permissions and the room on the disk.")
        }))
    }

    /// What happened, in a line for the log.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Problem(problem) => &problem.detail,
            Self::BrokenPipe => "nobody reads the output",
            Self::Status(_) => "the reason was printed",
        }
    }

    /// The exit status.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Problem(problem) => problem.code.entry().exit,
            Self::BrokenPipe => 0,
            Self::Status(status) => *status,
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<Box<Problem>> for Failure {
    fn from(problem: Box<Problem>) -> Self {
        Self::Problem(problem)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        error.problem().into()
    }
}

impl From<mainstay_core::Error> for Failure {
    fn from(error: mainstay_core::Error) -> Self {
        if let Some(internal) = &error.internal {
            tracing::debug!(code = %error.code(), internal, "failed");
        }
        Self::Problem(error.problem)
    }
}
