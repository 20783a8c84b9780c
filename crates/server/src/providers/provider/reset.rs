//! `POST /v1/providers/{pool}/{provider}/reset`.

use super::Names;
use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{JsonOrDefault, Path};
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::providers::{PoolType, ProviderId, ProvidersReset, ResetProviders};
use std::sync::Arc;

/// Sets counters or health of a provider back; both where the body names neither.
///
/// A circuit that is forced open stays so. Problems: `providers.not_found`.
#[utoipa::path(post, path = "/v1/providers/{pool}/{provider}/reset", operation_id = "reset_provider",
    tag = "providers",
    request_body = Option<ResetProviders>,
    params(("pool" = PoolType, Path, description = "The pool"),
        ("provider" = ProviderId, Path, description = "The provider")),
    responses((status = 200, description = "It was set back", body = ProvidersReset))
)]
pub(crate) async fn reset(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path((pool, provider)): Path<Names>,
    JsonOrDefault(reset): JsonOrDefault<ResetProviders>,
) -> Result<Json<ProvidersReset>, Failure> {
    Ok(Json(app.services.providers.reset(&caller, (pool, Some(provider)), reset).await?))
}
