//! `GET /v1/audit/verify`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Query;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::audit::{VerifyAudit, VerifyReport};
use std::sync::Arc;

/// Verifies the audit trail against the checkpoints that this server can read.
///
/// What is wrong is told in the report, with status 200. Who does not want to trust the server reads
/// `/v1/audit/stored` and verifies by themselves, as `mainstay audit verify --checkpoints` does.
#[utoipa::path(get, path = "/v1/audit/verify", operation_id = "verify_audit", tag = "audit",
    params(VerifyAudit),
    responses((status = 200, description = "What was found", body = VerifyReport))
)]
pub(crate) async fn verify(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Query(verify): Query<VerifyAudit>,
) -> Result<Json<VerifyReport>, Failure> {
    Ok(Json(app.services.audit.verify(&caller, verify).await?))
}
