//! `GET /v1/audit/chains`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Query;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::audit::{AuditChains, ListChains};
use std::sync::Arc;

/// Shows where the chains of the audit trail begin and end.
#[utoipa::path(get, path = "/v1/audit/chains", operation_id = "list_audit_chains", tag = "audit",
    params(ListChains),
    responses((status = 200, description = "The chains that the caller may see", body = AuditChains))
)]
pub(crate) async fn chains(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Query(list): Query<ListChains>,
) -> Result<Json<AuditChains>, Failure> {
    Ok(Json(app.services.audit.chains(&caller, list).await?))
}
