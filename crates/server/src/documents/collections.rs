//! `GET /v1/documents`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::documents::CollectionName;
use std::sync::Arc;

/// Lists the collections of the namespace that have documents.
#[utoipa::path(get, path = "/v1/documents", operation_id = "list_collections", tag = "documents",
    responses((status = 200, description = "Their names", body = Vec<CollectionName>))
)]
pub(crate) async fn collections(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
) -> Result<Json<Vec<CollectionName>>, Failure> {
    Ok(Json(app.services.documents.collections(&caller).await?))
}
