//! `GET /v1/documents/{collection}/{key}/history`.

use super::{InPath, name};
use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{Path, Query};
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::documents::{CollectionName, DocumentHistory, DocumentKey, ListHistory};
use std::sync::Arc;

/// Lists what a document was, the newest revision first; also of one that is gone.
///
/// Of secrets it says only that they changed. Problems: `documents.not_found`.
#[utoipa::path(get, path = "/v1/documents/{collection}/{key}/history", operation_id = "document_history",
    tag = "documents",
    params(("collection" = CollectionName, Path, description = "The collection"),
        ("key" = DocumentKey, Path, description = "The document"), ListHistory),
    responses((status = 200, description = "The revisions", body = DocumentHistory))
)]
pub(crate) async fn history(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(path): Path<InPath>,
    Query(list): Query<ListHistory>,
) -> Result<Json<DocumentHistory>, Failure> {
    Ok(Json(app.services.documents.history(&caller, &name(path), list).await?))
}
