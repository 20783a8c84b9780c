//! `PATCH /v1/conversations/{id}`.

use super::preconditions::IfMatch;
use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{Json, Path};
use crate::problem::Failure;
use crate::tags::etag;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::ETAG;
use mainstay_core::api::ConversationId;
use mainstay_core::api::conversations::{Conversation, PatchConversation};
use std::sync::Arc;

/// Changes one of the caller's conversations.
///
/// What is absent stays, `null` removes, and documents are merged (RFC 7396). With `If-Match`, or `expectedVersion`, only
/// the version that the caller has seen. Problems: `conversations.not_found`, `conversations.version_conflict`.
#[utoipa::path(patch, path = "/v1/conversations/{id}", operation_id = "patch_conversation", tag = "conversations",
    request_body = PatchConversation,
    params(("id" = ConversationId, Path, description = "The conversation"),
        ("if-match" = Option<String>, Header, description = "The tag of the version to change")),
    responses((status = 200, description = "The conversation as it is now", body = Conversation,
        headers(("etag" = String, description = "Its version"))))
)]
pub(crate) async fn patch(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<ConversationId>,
    expected: IfMatch,
    Json(mut patch): Json<PatchConversation>,
) -> Result<Response, Failure> {
    patch.expected_version = expected.or(patch.expected_version)?;
    let conversation = app.services.conversations.patch(&caller, &id, patch).await?;
    Ok(([(ETAG, etag(conversation.summary.version))], axum::Json(conversation)).into_response())
}
