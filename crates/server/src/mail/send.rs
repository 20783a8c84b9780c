//! `POST /v1/mail/messages`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{IdempotencyKey, Json};
use crate::problem::Failure;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::LOCATION;
use mainstay_core::api::mail::{SendMessage, Sent};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::sync::Arc;

/// Sends a message.
///
/// Atomic, and with an `Idempotency-Key` repeatable: a repetition returns the first result. Problems:
/// `mail.duplicate_id`, `mail.invalid_type`, `mail.inbox_full`, `mail.not_found` (the message replied to),
/// `request.id_reused`.
#[utoipa::path(post, path = "/v1/mail/messages", operation_id = "send_message", tag = "mail",
    request_body = SendMessage,
    params(("idempotency-key" = Option<String>, Header, description = "The id of this write, made by the caller")),
    responses(
        (status = 201, description = "It is stored", body = Sent,
            headers(("location" = String, description = "Where to read the message"))),
        (status = 200, description = "An earlier call with the same key had stored it", body = Sent)
    )
)]
pub(crate) async fn send(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    IdempotencyKey(request): IdempotencyKey,
    Json(message): Json<SendMessage>,
) -> Result<Response, Failure> {
    let sent = app.services.mail.send(&caller, request, message).await?;
    let content = &sent.message.content;
    let location = format!("/v1/mail/messages/{}", utf8_percent_encode(content.id.as_str(), NON_ALPHANUMERIC));
    if sent.replayed {
        return Ok((StatusCode::OK, [(LOCATION, location)], axum::Json(sent)).into_response());
    }
    app.services.metrics.sent(&content.kind);
    Ok((StatusCode::CREATED, [(LOCATION, location)], axum::Json(sent)).into_response())
}
