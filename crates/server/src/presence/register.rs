//! `PUT /v1/presence/{instance}`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{JsonOrDefault, Path};
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::InstanceId;
use mainstay_core::api::presence::{Instance, RegisterInstance};
use std::sync::Arc;

/// Registers an instance, or replaces what it said of itself.
///
/// Problems: `presence.full`.
#[utoipa::path(put, path = "/v1/presence/{instance}", operation_id = "register_instance", tag = "presence",
    params(("instance" = String, Path, description = "The name, percent-encoded")),
    request_body = Option<RegisterInstance>,
    responses((status = 200, description = "The instance as it stands", body = Instance))
)]
pub(crate) async fn register(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(instance): Path<InstanceId>,
    JsonOrDefault(details): JsonOrDefault<RegisterInstance>,
) -> Result<Json<Instance>, Failure> {
    Ok(Json(app.services.presence.register(&caller, &instance, details).await?))
}
