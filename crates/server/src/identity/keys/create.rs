//! `POST /v1/keys`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Json;
use crate::identity::Secret;
use crate::problem::Failure;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::LOCATION;
use mainstay_core::api::identity::{CreateKey, CreatedKey};
use std::sync::Arc;

/// Makes an API key. It can allow nothing that the caller may not do itself.
///
/// Problems: `identity.full`.
#[utoipa::path(post, path = "/v1/keys", operation_id = "create_key", tag = "identity",
    request_body = CreateKey,
    responses((status = 201, description = "The key, whose credential is shown this once", body = CreatedKey,
        headers(("location" = String, description = "Where to read it"))))
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Json(key): Json<CreateKey>,
) -> Result<Response, Failure> {
    let made = app.services.identity.create_key(&caller, key).await?;
    let location = format!("/v1/keys/{}", made.key.id);
    Ok((StatusCode::CREATED, [(LOCATION, location)], Secret(made)).into_response())
}
