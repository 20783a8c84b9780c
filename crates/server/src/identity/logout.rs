//! `POST /v1/auth/logout`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::problem::Failure;
use axum::extract::State;
use http::StatusCode;
use std::sync::Arc;

/// Ends the session that the call is made with.
#[utoipa::path(post, path = "/v1/auth/logout", operation_id = "logout", tag = "identity",
    responses((status = 204, description = "The session has ended"))
)]
pub(crate) async fn logout(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
) -> Result<StatusCode, Failure> {
    app.services.identity.logout(&caller).await?;
    Ok(StatusCode::NO_CONTENT)
}
