//! `GET /v1/mail/messages/{id}`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::MessageId;
use mainstay_core::api::mail::Message;
use std::sync::Arc;

/// Reads one message with the receipt of every recipient.
///
/// Does not mark it as read. Problems: `mail.not_found`.
#[utoipa::path(get, path = "/v1/mail/messages/{id}", operation_id = "read_message", tag = "mail",
    params(("id" = String, Path, description = "The id, percent-encoded")),
    responses((status = 200, description = "The message", body = Message))
)]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<MessageId>,
) -> Result<Json<Message>, Failure> {
    Ok(Json(app.services.mail.read(&caller, &id).await?))
}
