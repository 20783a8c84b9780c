//! `GET /v1/errors/{code}`: the page of an error, where the `type` of a problem document leads.

use crate::extract::Path;
use crate::problem::Failure;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE, VARY};
use mainstay_core::Error;
use mainstay_core::api::Code;
use serde::Serialize;

/// The page of an error.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ErrorPage {
    /// The stable code.
    code: Code,
    /// A few words for people.
    title: &'static str,
    /// HTTP status.
    status: u16,
    /// Whether the same call may succeed later, unchanged.
    retryable: bool,
    /// What happened, why, and how to fix it, in Markdown.
    page: &'static str,
}

/// Explains an error code.
///
/// As Markdown, or as JSON where the Accept header asks for it.
#[utoipa::path(get, path = "/v1/errors/{code}", operation_id = "explain_error", tag = "server",
    params(("code" = String, Path, description = "The code", example = "mail.not_found")),
    responses((status = 200, description = "The page of the error", content(
        (String = "text/markdown"), (ErrorPage = "application/json")
    )))
)]
pub(crate) async fn read(Path(code): Path<String>, headers: HeaderMap) -> Result<Response, Failure> {
    let code = Code::find(&code).ok_or_else(|| unknown(&code))?;
    let entry = code.entry();
    if wants_json(&headers) {
        let page =
            ErrorPage { code, title: entry.title, status: entry.http, retryable: entry.retryable, page: entry.page };
        return Ok(([(VARY, "accept")], Json(page)).into_response());
    }
    Ok(([(CONTENT_TYPE, "text/markdown; charset=utf-8"), (VARY, "accept")], entry.page).into_response())
}

/// Whether JSON is named before Markdown; a weight is not looked at, as there are only two to choose from.
fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let place = |kind: &str| accept.find(kind).unwrap_or(usize::MAX);
    place("application/json") < place("text/markdown")
}

fn unknown(code: &str) -> Error {
    let code: String = code.chars().take(80).collect();
    let detail = format!("there is no error code {code:?}");
    Error::new(Code::NoSuchRoute, detail, "Use one of the valid values.")
        .valid_values(Code::ALL.iter().map(ToString::to_string).collect())
}
