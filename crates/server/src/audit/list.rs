//! `GET /v1/audit/entries`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Query;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::audit::{AuditEntry, ListAudit};
use mainstay_core::api::page::Page;
use std::sync::Arc;

/// Lists entries of the audit trail, newest first.
///
/// The chain of the call's namespace needs `audit:read`, any other `audit:admin`. Problems: `page.invalid_cursor`.
#[utoipa::path(get, path = "/v1/audit/entries", operation_id = "list_audit_entries", tag = "audit",
    params(ListAudit),
    responses((status = 200, description = "A page of entries", body = Page<AuditEntry>))
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Query(list): Query<ListAudit>,
) -> Result<Json<Page<AuditEntry>>, Failure> {
    Ok(Json(app.services.audit.list(&caller, list).await?))
}
