//! `POST /v1/providers/{pool}/reset`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{JsonOrDefault, Path};
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::providers::{PoolType, ProvidersReset, ResetProviders};
use std::sync::Arc;

/// Sets counters or health of all providers of a pool back, in one step; both where the body names neither.
///
/// Problems: `providers.not_found`.
#[utoipa::path(post, path = "/v1/providers/{pool}/reset", operation_id = "reset_pool", tag = "providers",
    request_body = Option<ResetProviders>,
    params(("pool" = PoolType, Path, description = "The pool")),
    responses((status = 200, description = "How many providers were set back", body = ProvidersReset))
)]
pub(crate) async fn reset(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(pool): Path<PoolType>,
    JsonOrDefault(reset): JsonOrDefault<ResetProviders>,
) -> Result<Json<ProvidersReset>, Failure> {
    Ok(Json(app.services.providers.reset(&caller, (pool, None), reset).await?))
}
