//! `POST /v1/providers/{pool}/{provider}/credential/refresh`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::providers::{Credential, PoolType, ProviderId};
use std::sync::Arc;

/// Refreshes the credential of a provider now, whatever its age, and even where it failed before.
///
/// Where a node is at it already, its answer is waited for. Problems: `credentials.not_found`, `credentials.dead`,
/// `credentials.refresh_pending`, `credentials.not_refreshable`.
#[utoipa::path(post, path = "/v1/providers/{pool}/{provider}/credential/refresh", operation_id = "refresh_credential",
    tag = "providers",
    params(
        ("pool" = PoolType, Path, description = "The pool"),
        ("provider" = ProviderId, Path, description = "The provider")
    ),
    responses((status = 200, description = "The new credential, masked", body = Credential))
)]
pub(crate) async fn refresh(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path((pool, provider)): Path<(PoolType, ProviderId)>,
) -> Result<Json<Credential>, Failure> {
    Ok(Json(app.services.tokens.refresh_by_hand(&caller, pool, provider).await?))
}
