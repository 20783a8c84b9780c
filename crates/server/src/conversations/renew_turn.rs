//! `PUT /v1/conversations/{id}/turn`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{Json, Path};
use crate::problem::Failure;
use axum::extract::State;
use mainstay_core::api::ConversationId;
use mainstay_core::api::conversations::{RenewTurn, Turn};
use std::sync::Arc;

/// Prolongs the caller's turn, from now on.
///
/// Problems: `conversations.not_found`, `conversations.turn_lost`.
#[utoipa::path(put, path = "/v1/conversations/{id}/turn", operation_id = "renew_turn", tag = "conversations",
    request_body = RenewTurn,
    params(("id" = ConversationId, Path, description = "The conversation")),
    responses((status = 200, description = "The turn goes on", body = Turn))
)]
pub(crate) async fn renew_turn(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<ConversationId>,
    Json(renew): Json<RenewTurn>,
) -> Result<axum::Json<Turn>, Failure> {
    Ok(axum::Json(app.services.conversations.renew_turn(&caller, &id, renew).await?))
}
