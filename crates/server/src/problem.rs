//! From an error to the answer that reports it: an RFC 9457 problem document.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use mainstay_core::Error;
use mainstay_core::api::{Code, Problem};
use serde::Serialize;
use std::sync::Arc;

/// The media type of problem documents.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// An error on its way to the caller. The layer that knows the request id writes it into the document and the
/// internal message into the log.
#[derive(Debug)]
pub struct Failure(pub Error);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

/// The error behind an answer, for the layer that stamps and logs it.
#[derive(Clone)]
struct Failed(Arc<Error>);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let problem = &self.0.problem;
        let mut response = Response::new(document(problem));
        *response.status_mut() = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(wait_ms) = problem.retry_after_ms {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait_ms.div_ceil(1_000)));
        }
        if let Some(challenge) = challenge(problem) {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        response.extensions_mut().insert(Failed(Arc::new(self.0)));
        response
    }
}

/// The error behind an answer, where it is one.
pub(crate) fn error_of(response: &Response) -> Option<Arc<Error>> {
    response.extensions().get::<Failed>().map(|Failed(error)| Arc::clone(error))
}

/// How a refused credential is answered (RFC 6750, section 3): without one, only that one is needed.
fn challenge(problem: &Problem) -> Option<HeaderValue> {
    if problem.status != 401 {
        return None;
    }
    let name = problem.error.as_deref().filter(|_| problem.code != Code::CredentialMissing);
    let said = name.map(|name| format!(", error=\"invalid_token\", error_description=\"{name}\"")).unwrap_or_default();
    HeaderValue::try_from(format!("Bearer realm=\"mainstay\"{said}")).ok()
}

/// In which shape a problem is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A problem document.
    Problem,
    /// A problem document that clients of the original understand as well: with `error`, and `message` or `details`.
    Chat,
}

impl Shape {
    /// The shape for this path.
    pub(crate) fn of(path: &str) -> Self {
        if path.starts_with("/api/") { Self::Chat } else { Self::Problem }
    }
}

/// Writes the request id into the document of a failed response, and what only the log may know into the log.
pub(crate) fn stamp(response: &mut Response, request_id: &str, shape: Shape) {
    let Some(Failed(error)) = response.extensions_mut().remove::<Failed>() else {
        return;
    };
    log(&error);
    let problem = Problem { request_id: Some(request_id.to_owned()), ..(*error.problem).clone() };
    *response.body_mut() = match shape {
        Shape::Problem => document(&problem),
        Shape::Chat => document(&ChatProblem::new(&problem)),
    };
    response.headers_mut().remove(CONTENT_LENGTH);
}

/// Logs an error: what the server or its store did wrong aloud, what the caller did wrong quietly.
pub(crate) fn log(error: &Error) {
    let (code, detail) = (error.code(), &error.problem.detail);
    let internal = error.internal.as_deref().unwrap_or_default();
    if is_fault(error) {
        tracing::error!(%code, detail, internal, "request failed");
    } else {
        tracing::debug!(%code, detail, internal, "request refused");
    }
}

/// Whether the server or its store did wrong. An overload is none, whatever its status: the bound does what it is for,
/// the metrics count it, and a line for each refusal would be one more load.
fn is_fault(error: &Error) -> bool {
    error.problem.status >= 500 && error.code() != Code::Overloaded
}

/// A problem with the members that clients of the original read.
#[derive(Serialize)]
struct ChatProblem<'a> {
    #[serde(flatten)]
    problem: Problem,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'a str>,
}

impl<'a> ChatProblem<'a> {
    fn new(problem: &'a Problem) -> Self {
        let error = match problem.code {
            Code::InvalidRequest | Code::CursorInvalid => "Invalid request".to_owned(),
            Code::ConversationNotFound => "Conversation not found".to_owned(),
            Code::ConversationAgentFailed => "Failed to send message to the agent".to_owned(),
            _ if problem.status == 503 => format!("Service Unavailable: {}", problem.title),
            _ => problem.error.clone().unwrap_or_else(|| problem.title.clone()),
        };
        Self {
            problem: Problem { error: Some(error), ..problem.clone() },
            message: &problem.detail,
            details: (problem.status == 400).then_some(&problem.detail),
        }
    }
}

fn document(problem: &impl Serialize) -> Body {
    // A problem holds text and numbers only, which JSON can always hold.
    Body::from(serde_json::to_vec(problem).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    async fn stamped(error: Error) -> (Response, Problem) {
        let mut response = Failure(error).into_response();
        stamp(&mut response, "req-1", Shape::Problem);
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        (Response::from_parts(parts, Body::empty()), serde_json::from_slice(&bytes).unwrap())
    }

    #[tokio::test]
    async fn every_code_answers_with_its_status_its_page_and_the_request_id() {
        for code in Code::ALL {
            let (response, problem) = stamped(Error::new(*code, "what happened", "what to do")).await;
            assert_eq!(response.status().as_u16(), code.entry().http, "{code}");
            assert_eq!(response.headers()[CONTENT_TYPE], PROBLEM_JSON);
            assert_eq!(problem.kind, format!("/v1/errors/{code}"));
            assert_eq!(problem.request_id.as_deref(), Some("req-1"));
            assert_eq!(response.headers().contains_key(WWW_AUTHENTICATE), code.entry().http == 401, "{code}");
        }
    }

    #[test]
    fn an_overload_does_not_fill_the_log_and_a_store_that_is_away_is_heard() {
        let error = |code| Error::new(code, "what happened", "what to do");
        assert!(!is_fault(&error(Code::Overloaded)));
        assert!(!is_fault(&error(Code::MailNotFound)));
        assert!(is_fault(&error(Code::StoreUnavailable)));
        assert!(is_fault(&error(Code::Internal)));
    }

    #[tokio::test]
    async fn what_only_the_log_may_know_stays_out_of_the_answer() {
        let (_, problem) = stamped(Error::unavailable("the store is away", "tcp 10.0.0.7 refused")).await;
        assert!(!serde_json::to_string(&problem).unwrap().contains("10.0.0.7"));
    }

    #[tokio::test]
    async fn a_wait_is_told_in_whole_seconds_and_never_too_short() {
        let error = Error::new(Code::Overloaded, "busy", "wait").retry_after_ms(1_001);
        let (response, problem) = stamped(error).await;
        assert_eq!(response.headers()[RETRY_AFTER], "2");
        assert_eq!(problem.retry_after_ms, Some(1_001));
    }
}
