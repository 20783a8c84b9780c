//! `POST /v1/conversations/{id}/send`.

use crate::Services;
use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{IdempotencyKey, Json, Path};
use crate::problem::Failure;
use axum::extract::State;
use mainstay_core::api::ConversationId;
use mainstay_core::api::conversations::{Answered, NewMessage, Role, SendText};
use mainstay_core::api::ids::RequestId;
use mainstay_core::conversations::{Said, Say};
use mainstay_core::{Caller, Error, Result};
use serde_json::Value;
use std::sync::Arc;

/// Says something in one of the caller's conversations, and has the agent answer.
///
/// The message is stored, the agent is asked, and its answer is stored, under one turn. Where the agent fails, only the
/// message is stored, as failed. With an `Idempotency-Key` repeatable: a repetition returns the first answer. Problems:
/// `conversations.not_found`, `conversations.turn_busy`, `conversations.turn_lost`, `conversations.full`,
/// `conversations.agent_failed`, `conversations.agent_unavailable`, `request.id_reused`.
#[utoipa::path(post, path = "/v1/conversations/{id}/send", operation_id = "send_text", tag = "conversations",
    request_body = SendText,
    params(("id" = ConversationId, Path, description = "The conversation"),
        ("idempotency-key" = Option<String>, Header, description = "The id of this write, made by the caller")),
    responses((status = 200, description = "The answer", body = Answered))
)]
pub(crate) async fn send(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<ConversationId>,
    IdempotencyKey(request): IdempotencyKey,
    Json(send): Json<SendText>,
) -> Result<axum::Json<Answered>, Failure> {
    let said = app.services.say(&caller, request, &id, by_user(send)?).await?;
    Ok(axum::Json(answered(id, said)))
}

/// What a user says, from the wire.
pub(crate) fn by_user(send: SendText) -> Result<Say> {
    Ok(Say { message: text_of_user(send.text)?, context: send.workflow_context.map(Value::Object) })
}

/// The answer, for the wire.
pub(crate) fn answered(conversation_id: ConversationId, said: Said) -> Answered {
    Answered {
        conversation_id,
        messages: said.messages,
        workflow_state: said.workflow,
        version: said.version,
        replayed: said.replayed,
    }
}

/// A text as a message of the user.
pub(crate) fn text_of_user(text: String) -> Result<NewMessage> {
    if text.is_empty() {
        return Err(Error::invalid("text: it is empty; say something"));
    }
    Ok(NewMessage::text(Role::User, text))
}

impl Services {
    /// Says something and counts the answer.
    pub(crate) async fn say(
        &self,
        caller: &Caller,
        request: Option<RequestId>,
        id: &ConversationId,
        say: Say,
    ) -> Result<Said> {
        let said = self.chat.send(caller, request, id, say).await;
        match &said {
            Ok(said) if said.replayed => {}
            Ok(said) => self.metrics.answered_by_agent(said.messages.len()),
            Err(error) => self.metrics.agent_failed(error.code()),
        }
        said
    }
}
