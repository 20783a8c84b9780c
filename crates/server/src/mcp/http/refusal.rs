//! Requests that never become a call: the protocol library answers them in plain text, this as problem documents.

use crate::problem::Failure;
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use http_body_util::{BodyExt, Limited};
use mainstay_core::Error;
use mainstay_core::api::Code;

/// Longest refusal in plain text that is taken over.
const MAX_TEXT_BYTES: usize = 4_096;

/// A request that no authentication has seen: a mistake in how the endpoint is mounted.
pub(super) fn no_caller() -> Failure {
    Failure(Error::new(
        Code::CredentialMissing,
        "the request has no credential",
        "Send `Authorization: Bearer <owner key>`; `mainstay serve` says at its start where the key is.",
    ))
}

pub(super) fn too_many() -> Failure {
    let detail = "as many streams are open as the endpoint takes on at a time";
    Failure(Error::new(Code::Overloaded, detail, "Repeat the call in a moment, or add a node.").retry_after_ms(1_000))
}

/// The current protocol has no stream of its own.
pub(super) fn no_stream() -> Response {
    allow("POST", "protocol 2026-07-28 has no GET stream", "Send `subscriptions/listen` by POST.")
}

/// Any other method.
pub(super) async fn method() -> Response {
    allow("GET, POST", "this endpoint keeps no session to end", "Send requests by POST.")
}

fn allow(methods: &'static str, detail: &str, help: &str) -> Response {
    let mut response = Failure(Error::new(Code::MethodNotAllowed, detail, help)).into_response();
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    response
}

/// Turns a refusal in plain text into a problem document; passes everything else on.
pub(super) async fn explained(response: Response) -> Response {
    let json =
        response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let status = response.status();
    if !status.is_client_error() || json {
        return response;
    }
    let (code, help) = match status {
        StatusCode::PAYLOAD_TOO_LARGE => (Code::TooLarge, "Refer to large content by an attachment, or split it."),
        StatusCode::METHOD_NOT_ALLOWED => (Code::MethodNotAllowed, "Send requests by POST."),
        _ => (
            Code::InvalidRequest,
            "POST one JSON-RPC 2.0 message with Content-Type: application/json, Accept: application/json, \
             text/event-stream, and an MCP-Protocol-Version that server/discover lists.",
        ),
    };
    let body = Limited::new(response.into_body(), MAX_TEXT_BYTES).collect().await;
    let text = body.map(|body| String::from_utf8_lossy(&body.to_bytes()).trim().to_owned()).unwrap_or_default();
    let detail = if text.is_empty() { code.entry().title.to_owned() } else { text };
    let mut refused = Error::new(code, detail, help);
    refused.problem.status = status.as_u16();
    Failure(refused).into_response()
}
