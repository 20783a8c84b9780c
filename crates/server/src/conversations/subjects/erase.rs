//! `DELETE /v1/subjects/{realm}/{tenant}/{user}/conversations`.

use super::Another;
use crate::app::App;
use crate::caller::Authenticated;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::conversations::ErasedConversations;
use mainstay_core::api::{Realm, SubjectId, TenantId};
use std::sync::Arc;

/// Erases every conversation of another user for good, for an administrator with a reason. The access is recorded.
///
/// May be repeated. Problems: `auth.forbidden`.
#[utoipa::path(delete, path = "/v1/subjects/{realm}/{tenant}/{user}/conversations",
    operation_id = "erase_conversations_of_user", tag = "conversations",
    params(("realm" = Realm, Path, description = "Where the identity comes from"),
        ("tenant" = TenantId, Path, description = "The tenant"), ("user" = SubjectId, Path, description = "The user"),
        ("mainstay-reason" = String, Header, description = "Why, for the record")),
    responses((status = 200, description = "They are gone", body = ErasedConversations))
)]
pub(crate) async fn erase(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Another(whose): Another,
) -> Result<Json<ErasedConversations>, Failure> {
    Ok(Json(app.services.conversations.erase(&caller, &whose).await?))
}
