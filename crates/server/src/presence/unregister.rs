//! `DELETE /v1/presence/{instance}`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{Path, Query};
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::InstanceId;
use mainstay_core::api::presence::{PresenceChanged, UnregisterInstance};
use std::sync::Arc;

/// Ends the registration of an instance.
#[utoipa::path(delete, path = "/v1/presence/{instance}", operation_id = "unregister_instance", tag = "presence",
    params(("instance" = String, Path, description = "The name, percent-encoded"), UnregisterInstance),
    responses((status = 200, description = "Whether it was registered", body = PresenceChanged))
)]
pub(crate) async fn unregister(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(instance): Path<InstanceId>,
    Query(end): Query<UnregisterInstance>,
) -> Result<Json<PresenceChanged>, Failure> {
    Ok(Json(app.services.presence.unregister(&caller, &instance, end.session_id.as_deref()).await?))
}
