//! `GET /v1/events/consumer-lag`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::events::ConsumerLag;
use std::sync::Arc;

/// Tells how far the consumer groups of the namespace are behind.
#[utoipa::path(get, path = "/v1/events/consumer-lag", operation_id = "consumer_lag", tag = "events",
    responses((status = 200, description = "Every group of every stream", body = ConsumerLag))
)]
pub(crate) async fn consumer_lag(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
) -> Result<Json<ConsumerLag>, Failure> {
    Ok(Json(app.services.observer.consumer_lag(&caller).await?))
}
