//! `GET /v1/mail/counts`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::mail::InboxCounts;
use std::sync::Arc;

/// Counts the caller's mail.
#[utoipa::path(get, path = "/v1/mail/counts", operation_id = "count_inbox", tag = "mail", responses(
    (status = 200, description = "The caller's inbox in numbers", body = InboxCounts)
))]
pub(crate) async fn counts(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
) -> Result<Json<InboxCounts>, Failure> {
    Ok(Json(app.services.mail.counts(&caller).await?))
}
