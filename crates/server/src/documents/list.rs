//! `GET /v1/documents/{collection}`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{Path, Query};
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::documents::{CollectionName, DocumentsPage, ListDocuments};
use std::sync::Arc;

/// Lists documents of a collection, by key.
///
/// Masks stand in the place of secrets. What changes after the page follows its `position`. Problems: `page.invalid_cursor`.
#[utoipa::path(get, path = "/v1/documents/{collection}", operation_id = "list_documents", tag = "documents",
    params(("collection" = CollectionName, Path, description = "The collection"), ListDocuments),
    responses((status = 200, description = "A page of documents", body = DocumentsPage))
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(collection): Path<CollectionName>,
    Query(list): Query<ListDocuments>,
) -> Result<Json<DocumentsPage>, Failure> {
    Ok(Json(app.services.documents.list(&caller, collection, list).await?))
}
