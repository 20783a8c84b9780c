//! `POST /v1/users`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Json;
use crate::problem::Failure;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::LOCATION;
use mainstay_core::api::identity::{AddUser, User};
use std::sync::Arc;

/// Adds a user.
///
/// Problems: `identity.exists`, `identity.full`.
#[utoipa::path(post, path = "/v1/users", operation_id = "add_user", tag = "identity",
    request_body = AddUser,
    responses((status = 201, description = "The user", body = User,
        headers(("location" = String, description = "Where to read it"))))
)]
pub(crate) async fn add(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Json(user): Json<AddUser>,
) -> Result<Response, Failure> {
    let made = app.services.identity.add_user(&caller, user).await?;
    let location = format!("/v1/users/{}", made.id);
    Ok((StatusCode::CREATED, [(LOCATION, location)], axum::Json(made)).into_response())
}
