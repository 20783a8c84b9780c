//! `GET /v1/conversations`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Query;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::conversations::{ConversationSummary, ListConversations};
use mainstay_core::api::page::Page;
use std::sync::Arc;

/// Lists the caller's conversations, the one that changed last first.
///
/// Summaries, never messages. Problems: `page.invalid_cursor`.
#[utoipa::path(get, path = "/v1/conversations", operation_id = "list_conversations", tag = "conversations",
    params(ListConversations),
    responses((status = 200, description = "A page of conversations", body = Page<ConversationSummary>))
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Query(list): Query<ListConversations>,
) -> Result<Json<Page<ConversationSummary>>, Failure> {
    Ok(Json(app.services.conversations.list(&caller, list).await?))
}
