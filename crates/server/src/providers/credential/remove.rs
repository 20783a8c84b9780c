//! `DELETE /v1/providers/{pool}/{provider}/credential`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use axum::extract::State;
use http::StatusCode;
use mainstay_core::api::providers::{PoolType, ProviderId};
use std::sync::Arc;

/// Removes the credential of a provider.
///
/// Problems: `credentials.not_found`.
#[utoipa::path(delete, path = "/v1/providers/{pool}/{provider}/credential", operation_id = "remove_credential",
    tag = "providers",
    params(
        ("pool" = PoolType, Path, description = "The pool"),
        ("provider" = ProviderId, Path, description = "The provider")
    ),
    responses((status = 204, description = "It is removed"))
)]
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path((pool, provider)): Path<(PoolType, ProviderId)>,
) -> Result<StatusCode, Failure> {
    app.services.tokens.remove(&caller, pool, provider).await?;
    Ok(StatusCode::NO_CONTENT)
}
