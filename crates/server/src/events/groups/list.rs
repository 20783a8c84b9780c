//! `GET /v1/events/{stream}/groups`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::events::{GroupList, StreamName};
use std::sync::Arc;

/// Lists the consumer groups of a stream, and how each stands.
///
/// Problems: `events.stream_unknown`.
#[utoipa::path(get, path = "/v1/events/{stream}/groups", operation_id = "list_groups", tag = "events",
    params(("stream" = StreamName, Path, description = "The stream")),
    responses((status = 200, description = "The groups, by name", body = GroupList))
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(stream): Path<StreamName>,
) -> Result<Json<GroupList>, Failure> {
    Ok(Json(app.services.workers.list(&caller, &stream).await?))
}
