//! `GET /v1/mail/messages`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Query;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::mail::{ListMessages, Message};
use mainstay_core::api::page::Page;
use std::sync::Arc;

/// Lists messages, newest first unless asked otherwise.
///
/// Problems: `page.invalid_cursor`.
#[utoipa::path(get, path = "/v1/mail/messages", operation_id = "list_messages", tag = "mail",
    params(ListMessages),
    responses((status = 200, description = "A page of messages", body = Page<Message>))
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Query(list): Query<ListMessages>,
) -> Result<Json<Page<Message>>, Failure> {
    Ok(Json(app.services.mail.list(&caller, list).await?))
}
