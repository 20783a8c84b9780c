//! What is answered, as no protocol in particular says it: whole, or in pieces.

use super::conversation::{Call, Signature, Thought};
use crate::errors::{self, Kind};
use crate::json::Field;
use crate::usage::Usage;

/// A whole answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    pub parts: Vec<Said>,
    pub finish: Finish,
    pub usage: Usage,
}

/// A part of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Said {
    Text(String),
    /// The words in which the model declines.
    Refusal(String),
    Thought(Thought),
    Call(Call),
}

/// Why an answer is over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Finish {
    #[default]
    Stop,
    /// At a sequence of the client.
    Sequence(Option<String>),
    Length,
    Calls,
    /// Withheld by the upstream.
    Filtered,
}

/// A piece of an answer that is told as it arises.
#[derive(Debug, Clone)]
pub(crate) enum Delta {
    Start,
    Text(String),
    Refusal(String),
    Thought(String),
    Signature(Signature),
    /// More of a call. What has a name begins it.
    Call {
        index: u64,
        id: Option<String>,
        name: Option<String>,
        arguments: String,
    },
    Finish(Finish),
    Usage(Usage),
    /// The upstream says that it is done.
    End,
    Failed(Failure),
}

/// An answer that broke off.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What went wrong.
    pub kind: Kind,
    /// In words.
    pub message: String,
}

impl Failure {
    /// An upstream that does not keep to its protocol.
    pub(crate) fn garbled(why: impl std::fmt::Display) -> Self {
        Self { kind: Kind::Upstream, message: format!("the upstream's answer cannot be understood: {why}") }
    }

    /// What an upstream says of its error, in whichever shape.
    pub(crate) fn said(field: &Field<'_>) -> Self {
        let (kind, message) = errors::from_object(field).unwrap_or_default();
        Self { kind: kind.unwrap_or(Kind::Upstream), message }
    }
}
