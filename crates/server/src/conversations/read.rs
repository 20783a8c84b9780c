//! `GET /v1/conversations/{id}`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use crate::tags::{etag, is_known};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::ETAG;
use http::{HeaderMap, StatusCode};
use mainstay_core::api::ConversationId;
use mainstay_core::api::conversations::Conversation;
use std::sync::Arc;

/// Reads one of the caller's conversations, without its messages.
///
/// Reading is use: it prolongs a conversation whose retention slides. Problems: `conversations.not_found`, for another
/// user's conversation as well.
#[utoipa::path(get, path = "/v1/conversations/{id}", operation_id = "read_conversation", tag = "conversations",
    params(("id" = ConversationId, Path, description = "The conversation"),
        ("if-none-match" = Option<String>, Header, description = "The tag of the version that the caller has")),
    responses(
        (status = 200, description = "The conversation", body = Conversation,
            headers(("etag" = String, description = "Its version"))),
        (status = 304, description = "The caller has the current version")
    )
)]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<ConversationId>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let conversation = app.services.conversations.read(&caller, &id).await?;
    let version = conversation.summary.version;
    let tag = [(ETAG, etag(version))];
    if is_known(&headers, version)? {
        return Ok((StatusCode::NOT_MODIFIED, tag).into_response());
    }
    Ok((tag, Json(conversation)).into_response())
}
