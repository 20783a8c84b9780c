//! `POST /v1/presence/{instance}/heartbeat`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{JsonOrDefault, Path};
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::InstanceId;
use mainstay_core::api::presence::{Heartbeat, PresenceChanged};
use std::sync::Arc;

/// Records a sign of life; registers an instance that was not.
///
/// Problems: `presence.full`.
#[utoipa::path(post, path = "/v1/presence/{instance}/heartbeat", operation_id = "beat", tag = "presence",
    params(("instance" = String, Path, description = "The name, percent-encoded")),
    request_body = Option<Heartbeat>,
    responses((status = 200, description = "Whether the beat counts", body = PresenceChanged))
)]
pub(crate) async fn heartbeat(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(instance): Path<InstanceId>,
    JsonOrDefault(heartbeat): JsonOrDefault<Heartbeat>,
) -> Result<Json<PresenceChanged>, Failure> {
    Ok(Json(app.services.presence.heartbeat(&caller, &instance, heartbeat).await?))
}
