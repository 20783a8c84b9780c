//! `DELETE /v1/auth/sessions`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Query;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::identity::{EndOwnSessions, SessionsEnded};
use std::sync::Arc;

/// Ends all of one's own sessions, this one too unless it is to stay.
#[utoipa::path(delete, path = "/v1/auth/sessions", operation_id = "end_sessions", tag = "identity",
    params(EndOwnSessions),
    responses((status = 200, description = "How many ended", body = SessionsEnded))
)]
pub(crate) async fn end_all(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Query(wanted): Query<EndOwnSessions>,
) -> Result<Json<SessionsEnded>, Failure> {
    Ok(Json(app.services.identity.end_own_sessions(&caller, wanted.keep_this).await?))
}
