//! `GET /v1/conversations/export`.

use super::lines;
use crate::app::App;
use crate::caller::Authenticated;
use crate::problem::Failure;
use axum::extract::State;
use axum::response::Response;
use mainstay_core::api::conversations::ExportLine;
use mainstay_core::conversations::Whose;
use std::sync::Arc;

/// Exports every conversation of the caller as JSON lines: each conversation, then its messages in their order.
///
/// An answer that breaks off is not complete.
#[utoipa::path(get, path = "/v1/conversations/export", operation_id = "export_conversations", tag = "conversations",
    responses((status = 200, description = "Lines", content_type = "application/x-ndjson", body = ExportLine))
)]
pub(crate) async fn export_all(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
) -> Result<Response, Failure> {
    let exported = app.services.conversations.export_all(&caller, &Whose::Own).await?;
    Ok(lines::answer(&app, exported)?)
}
