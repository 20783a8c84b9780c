//! `GET /v1/events/health`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::events::EventsHealth;
use std::sync::Arc;

/// Tells how the streams of the namespace stand: each is as healthy as the group that is furthest behind.
#[utoipa::path(get, path = "/v1/events/health", operation_id = "events_health", tag = "events",
    responses((status = 200, description = "Every stream, by name", body = EventsHealth))
)]
pub(crate) async fn health(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
) -> Result<Json<EventsHealth>, Failure> {
    Ok(Json(app.services.observer.health(&caller).await?))
}
