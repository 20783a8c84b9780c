//! `POST /v1/gateway/keys`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Json;
use crate::identity::Secret;
use crate::problem::Failure;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::LOCATION;
use mainstay_core::api::gateway::{CreateGatewayKey, CreatedGatewayKey};
use std::sync::Arc;

/// Makes a key of the gateway in the namespace of the call.
///
/// Problems: `gateway.too_many_keys`.
#[utoipa::path(post, path = "/v1/gateway/keys", operation_id = "create_gateway_key", tag = "gateway",
    request_body = CreateGatewayKey,
    responses((status = 201, description = "The key, whose secret is shown this once", body = CreatedGatewayKey,
        headers(("location" = String, description = "Where to read it"))))
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Json(key): Json<CreateGatewayKey>,
) -> Result<Response, Failure> {
    let made = app.services.gateway_keys.create(&caller, key).await?;
    let location = format!("/v1/gateway/keys/{}", made.key.id);
    Ok((StatusCode::CREATED, [(LOCATION, location)], Secret::of(made)).into_response())
}
