//! `POST /api/chat/start`.

use crate::access::Resource;
use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::IdempotencyKey;
use crate::problem::Failure;
use axum::extract::State;
use axum::{Extension, Json};
use mainstay_core::api::conversations::ChatStarted;
use std::sync::Arc;

/// Begins a chat, as clients of the original do.
///
/// Takes no body. Problems: `conversations.too_many`.
#[utoipa::path(post, path = "/api/chat/start", operation_id = "chat_start", tag = "chat",
    params(("idempotency-key" = Option<String>, Header, description = "The id of this write, made by the caller")),
    responses((status = 200, description = "It has begun", body = ChatStarted))
)]
pub(crate) async fn start(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    IdempotencyKey(request): IdempotencyKey,
) -> Result<(Extension<Resource>, Json<ChatStarted>), Failure> {
    let started = app.services.chat.start(&caller, request).await?;
    let resource = Extension(Resource(started.conversation.to_string()));
    let answer = ChatStarted { conversation_id: started.conversation, workflow_state: started.workflow };
    Ok((resource, Json(answer)))
}
