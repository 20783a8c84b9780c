//! `POST /v1/mail/messages/{id}/ack`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{JsonOrDefault, Path};
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::MessageId;
use mainstay_core::api::mail::{AckMessage, Acknowledged};
use std::sync::Arc;

/// Acknowledges a message.
///
/// The first acknowledgement of a recipient stands, and repeating it changes nothing. Problems: `mail.not_found`,
/// `mail.not_a_recipient`.
#[utoipa::path(post, path = "/v1/mail/messages/{id}/ack", operation_id = "acknowledge_message", tag = "mail",
    params(("id" = String, Path, description = "The id, percent-encoded")),
    request_body = Option<AckMessage>,
    responses((status = 200, description = "The acknowledgement that stands", body = Acknowledged))
)]
pub(crate) async fn ack(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<MessageId>,
    JsonOrDefault(ack): JsonOrDefault<AckMessage>,
) -> Result<Json<Acknowledged>, Failure> {
    let acknowledged = app.services.mail.acknowledge(&caller, &id, ack).await?;
    if !acknowledged.already {
        app.services.metrics.acknowledged();
    }
    Ok(Json(acknowledged))
}
