//! `GET /v1/conversations/{id}/messages`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{Path, Query};
use crate::problem::Failure;
use crate::tags::etag;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::ETAG;
use mainstay_core::api::ConversationId;
use mainstay_core::api::conversations::{MessagePage, ReadMessages};
use std::sync::Arc;

/// Reads messages of one of the caller's conversations: the newest, or those after or before a place. Oldest first.
///
/// Problems: `conversations.not_found`.
#[utoipa::path(get, path = "/v1/conversations/{id}/messages", operation_id = "read_conversation_messages",
    tag = "conversations",
    params(("id" = ConversationId, Path, description = "The conversation"), ReadMessages),
    responses((status = 200, description = "A page of messages", body = MessagePage,
        headers(("etag" = String, description = "The version that they were read from"))))
)]
pub(crate) async fn messages(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<ConversationId>,
    Query(read): Query<ReadMessages>,
) -> Result<Response, Failure> {
    let page = app.services.conversations.messages(&caller, &id, read).await?;
    Ok(([(ETAG, etag(page.version))], Json(page)).into_response())
}
