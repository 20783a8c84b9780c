//! `DELETE /v1/conversations/{id}`.

use super::preconditions::IfMatch;
use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::ConversationId;
use mainstay_core::api::conversations::DeletedConversation;
use std::sync::Arc;

/// Deletes one of the caller's conversations with its messages, for good.
///
/// One that does not exist, or is another user's, counts as deleted already.
#[utoipa::path(delete, path = "/v1/conversations/{id}", operation_id = "delete_conversation", tag = "conversations",
    params(("id" = ConversationId, Path, description = "The conversation")),
    responses((status = 200, description = "It is gone", body = DeletedConversation))
)]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<ConversationId>,
    expected: IfMatch,
) -> Result<Json<DeletedConversation>, Failure> {
    expected.absent()?;
    Ok(Json(app.services.conversations.delete(&caller, &id).await?))
}
