//! `GET /v1/mail/stats`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::mail::MailStats;
use std::sync::Arc;

/// Tells the mail of the namespace in numbers.
#[utoipa::path(get, path = "/v1/mail/stats", operation_id = "mail_stats", tag = "mail", responses(
    (status = 200, description = "The mail of the namespace in numbers", body = MailStats)
))]
pub(crate) async fn stats(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
) -> Result<Json<MailStats>, Failure> {
    Ok(Json(app.services.mail.stats(&caller).await?))
}
