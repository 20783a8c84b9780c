//! Answers in the shape of the original: one text, JSON indented by two, keys in its order.

use crate::mcp::guidance;
use mainstay_api::{Code, Problem};
use rmcp::model::{CallToolResult, ContentBlock};
use serde::Serialize;

/// What a call comes to.
pub(super) type Reply<T> = Result<T, Failure>;

/// A failure as the original told it.
#[derive(Debug, Serialize)]
pub(super) struct Failure {
    success: bool,
    error: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    valid_types: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip)]
    problem: Box<Problem>,
}

impl Failure {
    /// A failure in the given words.
    pub(super) fn new(code: Code, error: impl Into<String>) -> Self {
        let error = error.into();
        let problem = Box::new(Problem::new(code, error.clone(), ""));
        Self { success: false, error, valid_types: Vec::new(), hint: None, problem }
    }

    /// Adds the types that would have been accepted.
    pub(super) fn valid_types(self, valid_types: Vec<String>) -> Self {
        Self { valid_types, ..self }
    }

    /// Adds what to do about it.
    pub(super) fn hint(self, hint: &str) -> Self {
        Self { hint: Some(hint.to_owned()), ..self }
    }

    /// The code.
    pub(super) fn code(&self) -> Code {
        self.problem.code
    }
}

impl From<Box<Problem>> for Failure {
    fn from(problem: Box<Problem>) -> Self {
        let hint = Some(guidance::help(&problem).to_owned()).filter(|hint| !hint.is_empty());
        Self { success: false, error: problem.detail.clone(), valid_types: Vec::new(), hint, problem }
    }
}

/// The original's answer has no `isError` where a call succeeded.
pub(super) fn success<T: Serialize>(value: &T) -> CallToolResult {
    let mut result = CallToolResult::default();
    result.content = vec![ContentBlock::text(indented(value))];
    result
}

pub(super) fn failure(failure: &Failure) -> CallToolResult {
    let mut result = CallToolResult::default();
    result.content = vec![ContentBlock::text(indented(failure))];
    result.is_error = Some(true);
    result.with_meta(Some(guidance::meta(&failure.problem)))
}

fn indented<T: Serialize>(value: &T) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|error| {
        tracing::error!(%error, "a result is not JSON");
        "{\n  \"success\": false,\n  \"error\": \"the server failed\"\n}".to_owned()
    })
}
