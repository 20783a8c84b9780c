//! `GET /v1/events/streams`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::events::StreamList;
use std::sync::Arc;

/// Lists the streams, and what each holds in the namespace.
#[utoipa::path(get, path = "/v1/events/streams", operation_id = "list_streams", tag = "events",
    responses((status = 200, description = "Every stream, by name", body = StreamList))
)]
pub(crate) async fn streams(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
) -> Result<Json<StreamList>, Failure> {
    Ok(Json(app.services.events.list(&caller).await?))
}
