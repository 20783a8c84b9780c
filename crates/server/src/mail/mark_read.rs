//! `POST /v1/mail/inbox/read`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Json;
use crate::problem::Failure;
use axum::extract::State;
use mainstay_core::api::mail::{MarkRead, MarkedRead};
use std::sync::Arc;

/// Marks messages in the caller's inbox as read.
#[utoipa::path(post, path = "/v1/mail/inbox/read", operation_id = "mark_messages_read", tag = "mail",
    request_body = MarkRead,
    responses((status = 200, description = "How many were unread until now", body = MarkedRead))
)]
pub(crate) async fn mark_read(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Json(mark): Json<MarkRead>,
) -> Result<axum::Json<MarkedRead>, Failure> {
    Ok(axum::Json(app.services.mail.mark_read(&caller, mark.ids).await?))
}
