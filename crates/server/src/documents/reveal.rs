//! `GET /v1/documents/{collection}/{key}/revealed`.

use super::{InPath, name, tagged};
use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use axum::extract::State;
use axum::response::Response;
use mainstay_core::api::documents::{CollectionName, Document, DocumentKey};
use std::sync::Arc;

/// Reads a document with its secrets, which is recorded.
///
/// Problems: `documents.not_found`.
#[utoipa::path(get, path = "/v1/documents/{collection}/{key}/revealed", operation_id = "reveal_document",
    tag = "documents",
    params(("collection" = CollectionName, Path, description = "The collection"),
        ("key" = DocumentKey, Path, description = "The document")),
    responses((status = 200, description = "The document, byte for byte as it was written", body = Document,
        headers(("etag" = String, description = "Its revision"))))
)]
pub(crate) async fn reveal(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(path): Path<InPath>,
) -> Result<Response, Failure> {
    Ok(tagged(app.services.documents.read(&caller, &name(path), true).await?))
}
