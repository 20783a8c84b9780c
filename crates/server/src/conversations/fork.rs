//! `POST /v1/conversations/{id}/fork`.

use super::create;
use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{IdempotencyKey, JsonOrDefault, Path};
use crate::problem::Failure;
use axum::extract::State;
use axum::response::Response;
use mainstay_core::api::ConversationId;
use mainstay_core::api::conversations::{CreatedConversation, ForkConversation};
use std::sync::Arc;

/// Begins a conversation with a copy of another one's messages, up to a place. The other stays as it is.
///
/// With an `Idempotency-Key` repeatable. Problems: `conversations.not_found`, `conversations.exists`,
/// `conversations.too_many`, `request.id_reused`.
#[utoipa::path(post, path = "/v1/conversations/{id}/fork", operation_id = "fork_conversation", tag = "conversations",
    request_body = ForkConversation,
    params(("id" = ConversationId, Path, description = "The conversation to copy from"),
        ("idempotency-key" = Option<String>, Header, description = "The id of this write, made by the caller")),
    responses(
        (status = 201, description = "It has begun", body = CreatedConversation,
            headers(("location" = String, description = "Where to read it"))),
        (status = 200, description = "An earlier call with the same key had begun it", body = CreatedConversation)
    )
)]
pub(crate) async fn fork(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<ConversationId>,
    IdempotencyKey(request): IdempotencyKey,
    JsonOrDefault(fork): JsonOrDefault<ForkConversation>,
) -> Result<Response, Failure> {
    Ok(create::answer(app.services.conversations.fork(&caller, request, &id, fork).await?))
}
