//! `POST /v1/conversations/{id}/messages`.

use super::preconditions::IfMatch;
use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{IdempotencyKey, Json, Path};
use crate::problem::Failure;
use crate::tags::etag;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::ETAG;
use mainstay_core::api::ConversationId;
use mainstay_core::api::conversations::{AppendMessages, AppendedMessages};
use std::sync::Arc;

/// Appends messages to one of the caller's conversations, all of them or none.
///
/// With an `Idempotency-Key` repeatable. With `If-Match`, or `expectedVersion`, only to the version that the caller has
/// seen. While a turn is taken, only with its token. Problems: `conversations.not_found`,
/// `conversations.version_conflict`, `conversations.turn_busy`, `conversations.turn_lost`, `conversations.full`,
/// `request.id_reused`.
#[utoipa::path(post, path = "/v1/conversations/{id}/messages", operation_id = "append_messages", tag = "conversations",
    request_body = AppendMessages,
    params(("id" = ConversationId, Path, description = "The conversation"),
        ("idempotency-key" = Option<String>, Header, description = "The id of this write, made by the caller"),
        ("if-match" = Option<String>, Header, description = "The tag of the version to append to")),
    responses(
        (status = 201, description = "They are stored", body = AppendedMessages,
            headers(("etag" = String, description = "The version after it"))),
        (status = 200, description = "An earlier call with the same key had stored them", body = AppendedMessages)
    )
)]
pub(crate) async fn append(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<ConversationId>,
    IdempotencyKey(request): IdempotencyKey,
    expected: IfMatch,
    Json(mut append): Json<AppendMessages>,
) -> Result<Response, Failure> {
    append.expected_version = expected.or(append.expected_version)?;
    let appended = app.services.conversations.append(&caller, request, &id, append).await?;
    let tag = [(ETAG, etag(appended.version))];
    if appended.replayed {
        return Ok((StatusCode::OK, tag, axum::Json(appended)).into_response());
    }
    app.services.metrics.appended(appended.messages.len());
    Ok((StatusCode::CREATED, tag, axum::Json(appended)).into_response())
}
