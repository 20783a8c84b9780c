//! `POST /v1/store/journal/replay`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::JsonOrDefault;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::store::{JournalReplay, ReplayJournal};
use std::sync::Arc;

/// Has what waits at this node written to the store now, also to one that is not the one that was lost where that is said.
#[utoipa::path(post, path = "/v1/store/journal/replay", operation_id = "replay_journal", tag = "store",
    request_body = ReplayJournal,
    responses((status = 200, description = "It begins", body = JournalReplay))
)]
pub(crate) async fn replay(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    JsonOrDefault(replay): JsonOrDefault<ReplayJournal>,
) -> Result<Json<JournalReplay>, Failure> {
    let held = app.services.outage.replay(&caller, replay.onto_empty).await?;
    Ok(Json(JournalReplay { waiting: held.map_or(0, |held| held.waiting) }))
}
