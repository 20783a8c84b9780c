//! `GET /v1/subjects/{realm}/{tenant}/{user}/conversations`.

use super::Another;
use crate::app::App;
use crate::caller::Authenticated;
use crate::conversations::lines;
use crate::problem::Failure;
use axum::extract::State;
use axum::response::Response;
use mainstay_core::api::conversations::ExportLine;
use mainstay_core::api::{Realm, SubjectId, TenantId};
use std::sync::Arc;

/// Exports every conversation of another user as JSON lines, for an administrator with a reason. The access is recorded.
///
/// An answer that breaks off is not complete. Problems: `auth.forbidden`.
#[utoipa::path(get, path = "/v1/subjects/{realm}/{tenant}/{user}/conversations",
    operation_id = "export_conversations_of_user", tag = "conversations",
    params(("realm" = Realm, Path, description = "Where the identity comes from"),
        ("tenant" = TenantId, Path, description = "The tenant"), ("user" = SubjectId, Path, description = "The user"),
        ("mainstay-reason" = String, Header, description = "Why, for the record")),
    responses((status = 200, description = "Lines", content_type = "application/x-ndjson", body = ExportLine))
)]
pub(crate) async fn export(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Another(whose): Another,
) -> Result<Response, Failure> {
    let exported = app.services.conversations.export_all(&caller, &whose).await?;
    Ok(lines::answer(&app, exported)?)
}
