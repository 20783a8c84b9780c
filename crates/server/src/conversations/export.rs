//! `GET /v1/conversations/{id}/export`.

use super::lines;
use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use axum::extract::State;
use axum::response::Response;
use mainstay_core::api::ConversationId;
use mainstay_core::api::conversations::ExportLine;
use std::sync::Arc;

/// Exports one of the caller's conversations as JSON lines: the conversation, then its messages in their order.
///
/// An answer that breaks off is not complete. Problems: `conversations.not_found`.
#[utoipa::path(get, path = "/v1/conversations/{id}/export", operation_id = "export_conversation", tag = "conversations",
    params(("id" = ConversationId, Path, description = "The conversation")),
    responses((status = 200, description = "Lines", content_type = "application/x-ndjson", body = ExportLine))
)]
pub(crate) async fn export(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<ConversationId>,
) -> Result<Response, Failure> {
    let exported = app.services.conversations.export(&caller, &id).await?;
    Ok(lines::answer(&app, exported)?)
}
