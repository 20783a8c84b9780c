//! `DELETE /v1/auth/sessions/{id}`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use axum::extract::State;
use http::StatusCode;
use mainstay_core::api::SessionId;
use std::sync::Arc;

/// Ends one of one's own sessions.
///
/// Problems: `identity.not_found`.
#[utoipa::path(delete, path = "/v1/auth/sessions/{id}", operation_id = "end_session", tag = "identity",
    params(("id" = String, Path, description = "The id")),
    responses((status = 204, description = "The session has ended"))
)]
pub(crate) async fn end(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<SessionId>,
) -> Result<StatusCode, Failure> {
    app.services.identity.end_session(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
