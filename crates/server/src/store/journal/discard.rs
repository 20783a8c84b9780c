//! `POST /v1/store/journal/discard`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Json as Body;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::store::{DiscardJournal, JournalDiscarded};
use std::sync::Arc;

/// Gives up writes that wait at this node, or that the store did not take: for good.
#[utoipa::path(post, path = "/v1/store/journal/discard", operation_id = "discard_journal", tag = "store",
    request_body = DiscardJournal,
    responses((status = 200, description = "How many were given up", body = JournalDiscarded))
)]
pub(crate) async fn discard(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Body(which): Body<DiscardJournal>,
) -> Result<Json<JournalDiscarded>, Failure> {
    Ok(Json(JournalDiscarded { discarded: app.services.outage.discard(&caller, &which).await? }))
}
