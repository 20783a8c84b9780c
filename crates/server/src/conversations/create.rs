//! `POST /v1/conversations`.

use super::location;
use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{IdempotencyKey, JsonOrDefault};
use crate::problem::Failure;
use crate::tags::etag;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{ETAG, LOCATION};
use mainstay_core::api::conversations::{CreateConversation, CreatedConversation};
use std::sync::Arc;

/// Begins a conversation of the caller.
///
/// With an `Idempotency-Key` repeatable: a repetition returns the first conversation. Problems:
/// `conversations.exists`, `conversations.too_many`, `request.id_reused`.
#[utoipa::path(post, path = "/v1/conversations", operation_id = "create_conversation", tag = "conversations",
    request_body = CreateConversation,
    params(("idempotency-key" = Option<String>, Header, description = "The id of this write, made by the caller")),
    responses(
        (status = 201, description = "It has begun", body = CreatedConversation,
            headers(("location" = String, description = "Where to read it"), ("etag" = String, description = "Its version"))),
        (status = 200, description = "An earlier call with the same key had begun it", body = CreatedConversation)
    )
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    IdempotencyKey(request): IdempotencyKey,
    JsonOrDefault(create): JsonOrDefault<CreateConversation>,
) -> Result<Response, Failure> {
    let created = app.services.conversations.create(&caller, request, create).await?;
    Ok(answer(created))
}

/// The answer to whatever begins a conversation.
pub(super) fn answer(created: CreatedConversation) -> Response {
    let summary = &created.conversation.summary;
    let headers = [(LOCATION, location(&summary.id)), (ETAG, etag(summary.version))];
    let status = if created.replayed { StatusCode::OK } else { StatusCode::CREATED };
    (status, headers, axum::Json(created)).into_response()
}
