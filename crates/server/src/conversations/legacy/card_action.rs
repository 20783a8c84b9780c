//! `POST /api/chat/card-action`.

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
use mainstay_core::Result;
use mainstay_core::api::conversations::{ChatAnswer, ChatCardAction, NewMessage};
use mainstay_core::conversations::Say;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Says what the user did with a card, as clients of the original do.
///
/// It is stored as a message of the user, with what the card submitted. Problems: those of
/// `POST /v1/conversations/{id}/send`, and `conversations.card_refused`.
#[utoipa::path(post, path = "/api/chat/card-action", operation_id = "chat_card_action", tag = "chat",
    request_body = ChatCardAction,
    params(("idempotency-key" = Option<String>, Header, description = "The id of this write, made by the caller")),
    responses((status = 200, description = "The answer", body = ChatAnswer))
)]
pub(crate) async fn card_action(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    IdempotencyKey(request): IdempotencyKey,
    Json(action): Json<ChatCardAction>,
) -> Response {
    let id = action.conversation_id.clone();
    let resource = Extension(Resource(id.to_string()));
    let answered = async {
        app.config.cards.check(&action.submit_data)?;
        app.services.say(&caller, request, &id, Say { message: message_of(action)?, context: None }).await
    };
    let answered = answered.await.map(|said| axum::Json(answer(id.clone(), said))).map_err(Failure);
    (resource, answered).into_response()
}

/// What was done with a card, as a message. An empty submission is no payload: payloads hold at least one value.
fn message_of(action: ChatCardAction) -> Result<NewMessage> {
    let mut message = text_of_user(action.user_summary)?;
    message.card_id = Some(action.card_id);
    message.extracted_payload = (!action.submit_data.is_empty()).then(|| {
        let submitted = Value::Object(action.submit_data);
        Map::from_iter([
            ("source".to_owned(), json!("value")),
            ("confidence".to_owned(), json!("high")),
            ("data".to_owned(), submitted),
        ])
    });
    Ok(message)
}
