//! `POST /api/chat/send`.

use super::answer;
use crate::access::Resource;
use crate::app::App;
use crate::caller::Authenticated;
use crate::conversations::send::text_of_user;
use crate::extract::{IdempotencyKey, Json};
use crate::problem::Failure;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use mainstay_core::api::conversations::{ChatAnswer, ChatSend};
use mainstay_core::conversations::Say;
use serde_json::Value;
use std::sync::Arc;

/// Says something in a chat, as clients of the original do.
///
/// Problems: those of `POST /v1/conversations/{id}/send`.
#[utoipa::path(post, path = "/api/chat/send", operation_id = "chat_send", tag = "chat",
    request_body = ChatSend,
    params(("idempotency-key" = Option<String>, Header, description = "The id of this write, made by the caller")),
    responses((status = 200, description = "The answer", body = ChatAnswer))
)]
pub(crate) async fn send(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    IdempotencyKey(request): IdempotencyKey,
    Json(send): Json<ChatSend>,
) -> Response {
    let id = send.conversation_id;
    let resource = Extension(Resource(id.to_string()));
    let answered = async {
        let say = Say { message: text_of_user(send.text)?, context: send.workflow_context.map(Value::Object) };
        app.services.say(&caller, request, &id, say).await
    };
    let answered = answered.await.map(|said| axum::Json(answer(id.clone(), said))).map_err(Failure);
    (resource, answered).into_response()
}
