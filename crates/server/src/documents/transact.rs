//! `POST /v1/documents/transactions`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{IdempotencyKey, Json};
use crate::problem::Failure;
use axum::extract::State;
use mainstay_core::api::documents::{Committed, Transaction};
use std::sync::Arc;

/// Changes several documents together, or none of them.
///
/// All get the same revision, and whoever watches sees them together. Problems: `documents.not_found`,
/// `documents.version_conflict`, `documents.schema_violation`, `documents.full`.
#[utoipa::path(post, path = "/v1/documents/transactions", operation_id = "transact_documents", tag = "documents",
    request_body = Transaction,
    params(("idempotency-key" = Option<String>, Header, description = "The id of this request")),
    responses((status = 200, description = "What changed", body = Committed))
)]
pub(crate) async fn transact(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    IdempotencyKey(request): IdempotencyKey,
    Json(transaction): Json<Transaction>,
) -> Result<axum::Json<Committed>, Failure> {
    Ok(axum::Json(app.services.documents.write(&caller, request, &transaction).await?))
}
