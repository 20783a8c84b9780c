//! `POST /v1/conversations/{id}/turn`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{IdempotencyKey, JsonOrDefault, Path};
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::ConversationId;
use mainstay_core::api::conversations::{TakeTurn, Turn};
use std::sync::Arc;

/// Takes the turn of one of the caller's conversations: until it ends nobody else can append.
///
/// The answer holds the fencing token to give with each append. With an `Idempotency-Key` repeatable while the turn
/// lasts. Problems: `conversations.not_found`, `conversations.turn_busy` (`retry_after_ms` says until when).
#[utoipa::path(post, path = "/v1/conversations/{id}/turn", operation_id = "take_turn", tag = "conversations",
    request_body = TakeTurn,
    params(("id" = ConversationId, Path, description = "The conversation"),
        ("idempotency-key" = Option<String>, Header, description = "The id of this write, made by the caller")),
    responses((status = 200, description = "The turn is the caller's", body = Turn))
)]
pub(crate) async fn take_turn(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<ConversationId>,
    IdempotencyKey(request): IdempotencyKey,
    JsonOrDefault(take): JsonOrDefault<TakeTurn>,
) -> Result<Json<Turn>, Failure> {
    Ok(Json(app.services.conversations.take_turn(&caller, request, &id, take).await?))
}
