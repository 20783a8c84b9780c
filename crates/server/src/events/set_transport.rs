//! `PUT /v1/events/transport`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Json;
use crate::problem::Failure;
use axum::extract::State;
use mainstay_core::api::events::{ChangeTransport, TransportChoice};
use std::sync::Arc;

/// Changes how the publishers of the namespace send events.
///
/// Publishers that run follow within seconds, without a restart. Problems: `events.transport_conflict` where
/// `expected_version` is not the version that it has.
#[utoipa::path(put, path = "/v1/events/transport", operation_id = "set_transport", tag = "events",
    request_body = ChangeTransport,
    responses((status = 200, description = "The settings as they stand", body = TransportChoice))
)]
pub(crate) async fn set_transport(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Json(change): Json<ChangeTransport>,
) -> Result<axum::Json<TransportChoice>, Failure> {
    Ok(axum::Json(app.services.events.set_transport(&caller, change).await?))
}
