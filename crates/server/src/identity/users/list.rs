//! `GET /v1/users`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::identity::Users;
use std::sync::Arc;

/// Lists the users, by name.
#[utoipa::path(get, path = "/v1/users", operation_id = "list_users", tag = "identity",
    responses((status = 200, description = "Every user", body = Users))
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
) -> Result<Json<Users>, Failure> {
    Ok(Json(app.services.identity.users(&caller).await?))
}
