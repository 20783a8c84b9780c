//! `POST /api/chat/list-conversations`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::JsonOrDefault;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::Error;
use mainstay_core::api::conversations::{ChatList, ChatListed, ListConversations};
use std::sync::Arc;

/// Most conversations on a page of this route.
const MAX_CHATS: u32 = 50;

/// Lists the caller's conversations, as clients of the original do.
///
/// Problems: `page.invalid_cursor`.
#[utoipa::path(post, path = "/api/chat/list-conversations", operation_id = "chat_list_conversations", tag = "chat",
    request_body = ChatList,
    responses((status = 200, description = "A page of conversations", body = ChatListed))
)]
pub(crate) async fn list_conversations(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    JsonOrDefault(list): JsonOrDefault<ChatList>,
) -> Result<Json<ChatListed>, Failure> {
    if let Some(limit) = list.limit.filter(|limit| *limit > MAX_CHATS) {
        return Err(Failure(Error::invalid(format!("limit: {limit}; ask for 1 to {MAX_CHATS}"))));
    }
    let list = ListConversations { status: list.status, limit: list.limit, cursor: list.cursor };
    let page = app.services.conversations.list(&caller, list).await?;
    Ok(Json(ChatListed { conversations: page.items, next_cursor: page.next }))
}
