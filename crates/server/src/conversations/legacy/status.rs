//! `PATCH /api/chat/conversation/{id}/status`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::conversations::preconditions::IfMatch;
use crate::extract::{Json, Path};
use crate::problem::Failure;
use axum::extract::State;
use mainstay_core::api::ConversationId;
use mainstay_core::api::conversations::{ChatStatus, ChatStatusChanged, PatchConversation};
use std::sync::Arc;

/// Changes the status of one of the caller's conversations, as clients of the original do.
///
/// Problems: `conversations.not_found`, `conversations.version_conflict`.
#[utoipa::path(patch, path = "/api/chat/conversation/{id}/status", operation_id = "chat_status", tag = "chat",
    request_body = ChatStatus,
    params(("id" = ConversationId, Path, description = "The conversation"),
        ("if-match" = Option<String>, Header, description = "The tag of the version to change")),
    responses((status = 200, description = "It has the status", body = ChatStatusChanged))
)]
pub(crate) async fn status(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<ConversationId>,
    expected: IfMatch,
    Json(ChatStatus { status }): Json<ChatStatus>,
) -> Result<axum::Json<ChatStatusChanged>, Failure> {
    let patch = PatchConversation {
        status: Some(status),
        expected_version: expected.or(None)?,
        ..PatchConversation::default()
    };
    let conversation = app.services.conversations.patch(&caller, &id, patch).await?.summary;
    Ok(axum::Json(ChatStatusChanged { conversation_id: id, status, conversation }))
}
