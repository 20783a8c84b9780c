//! `GET /v1/events/transport`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::events::TransportChoice;
use std::sync::Arc;

/// Shows how the publishers of the namespace send events.
#[utoipa::path(get, path = "/v1/events/transport", operation_id = "read_transport", tag = "events",
    responses((status = 200, description = "The settings, where any were set", body = TransportChoice))
)]
pub(crate) async fn transport(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
) -> Result<Json<TransportChoice>, Failure> {
    Ok(Json(app.services.events.transport(&caller).await?))
}
