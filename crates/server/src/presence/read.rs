//! `GET /v1/presence/{instance}`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::InstanceId;
use mainstay_core::api::presence::Instance;
use std::sync::Arc;

/// Reads one instance.
///
/// Problems: `presence.not_found`.
#[utoipa::path(get, path = "/v1/presence/{instance}", operation_id = "read_instance", tag = "presence",
    params(("instance" = String, Path, description = "The name, percent-encoded")),
    responses((status = 200, description = "The instance", body = Instance))
)]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(instance): Path<InstanceId>,
) -> Result<Json<Instance>, Failure> {
    Ok(Json(app.services.presence.read(&caller, &instance).await?))
}
