//! `GET /v1/documents/{collection}/{key}`.

use super::{InPath, name, tagged};
use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use crate::tags::{etag, is_known};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::ETAG;
use http::{HeaderMap, StatusCode};
use mainstay_core::api::documents::{CollectionName, Document, DocumentKey};
use std::sync::Arc;

/// Reads a document.
///
/// The text as it was written, with masks in the place of secrets. Problems: `documents.not_found`.
#[utoipa::path(get, path = "/v1/documents/{collection}/{key}", operation_id = "read_document", tag = "documents",
    params(("collection" = CollectionName, Path, description = "The collection"),
        ("key" = DocumentKey, Path, description = "The document"),
        ("if-none-match" = Option<String>, Header, description = "The tag of the revision that the caller has")),
    responses((status = 200, description = "The document", body = Document,
            headers(("etag" = String, description = "Its revision"))),
        (status = 304, description = "The caller has it"))
)]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(path): Path<InPath>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let document = app.services.documents.read(&caller, &name(path), false).await?;
    if is_known(&headers, document.revision)? {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, etag(document.revision))]).into_response());
    }
    Ok(tagged(document))
}
