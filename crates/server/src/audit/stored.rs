//! `GET /v1/audit/stored`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Query;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::audit::{ReadStored, StoredEntries};
use std::sync::Arc;

/// Reads entries as they are stored, oldest first, for those who verify a chain themselves.
#[utoipa::path(get, path = "/v1/audit/stored", operation_id = "read_stored_audit_entries", tag = "audit",
    params(ReadStored),
    responses((status = 200, description = "Entries with their stored bytes and hashes", body = StoredEntries))
)]
pub(crate) async fn stored(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Query(read): Query<ReadStored>,
) -> Result<Json<StoredEntries>, Failure> {
    Ok(Json(app.services.audit.stored(&caller, read).await?))
}
