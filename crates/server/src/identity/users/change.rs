//! `PATCH /v1/users/{id}`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{Json, Path};
use crate::problem::Failure;
use axum::Json as Answer;
use axum::extract::State;
use mainstay_core::api::UserId;
use mainstay_core::api::identity::{ChangeUser, User};
use std::sync::Arc;

/// Changes what a user is called, may do, or whether it is kept out; what is absent stays.
///
/// Where what the user may do changes, its sessions end in the same step.
///
/// Problems: `identity.not_found`.
#[utoipa::path(patch, path = "/v1/users/{id}", operation_id = "change_user", tag = "identity",
    params(("id" = String, Path, description = "The id")),
    request_body = ChangeUser,
    responses((status = 200, description = "The user as it stands", body = User))
)]
pub(crate) async fn change(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<UserId>,
    Json(change): Json<ChangeUser>,
) -> Result<Answer<User>, Failure> {
    Ok(Answer(app.services.identity.change_user(&caller, &id, change).await?))
}
