//! `GET /v1/mail/types`.

use crate::app::App;
use crate::caller::Authenticated;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::mail::MessageTypes;
use std::sync::Arc;

/// Lists the types that a message may have.
#[utoipa::path(get, path = "/v1/mail/types", operation_id = "list_message_types", tag = "mail", responses(
    (status = 200, description = "The types, in a stable order", body = MessageTypes)
))]
pub(crate) async fn types(State(app): State<Arc<App>>, _caller: Authenticated) -> Json<MessageTypes> {
    Json(app.services.mail.types())
}
