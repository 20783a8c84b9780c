//! `DELETE /v1/conversations/{id}/turn`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{Path, Query};
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::ConversationId;
use mainstay_core::api::conversations::{EndTurn, EndedTurn};
use std::sync::Arc;

/// Ends the caller's turn. One that has ended already is left alone.
///
/// Problems: `conversations.not_found`.
#[utoipa::path(delete, path = "/v1/conversations/{id}/turn", operation_id = "end_turn", tag = "conversations",
    params(("id" = ConversationId, Path, description = "The conversation"), EndTurn),
    responses((status = 200, description = "It has ended", body = EndedTurn))
)]
pub(crate) async fn end_turn(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<ConversationId>,
    Query(end): Query<EndTurn>,
) -> Result<Json<EndedTurn>, Failure> {
    Ok(Json(app.services.conversations.end_turn(&caller, &id, end).await?))
}
