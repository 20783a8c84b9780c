//! `DELETE /v1/providers/{pool}`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::preconditions::Expected;
use crate::problem::Failure;
use axum::extract::State;
use http::StatusCode;
use mainstay_core::api::providers::PoolType;
use std::sync::Arc;

/// Removes a pool with its providers, their counters and their credentials.
///
/// Problems: `providers.not_found`, `providers.version_conflict`.
#[utoipa::path(delete, path = "/v1/providers/{pool}", operation_id = "remove_pool", tag = "providers",
    params(("pool" = PoolType, Path, description = "The pool"),
        ("if-match" = Option<String>, Header, description = "The tag of the revision to remove")),
    responses((status = 204, description = "It is removed"))
)]
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(pool): Path<PoolType>,
    Expected(expected): Expected,
) -> Result<StatusCode, Failure> {
    app.services.providers.drop_pool(&caller, pool, expected).await?;
    Ok(StatusCode::NO_CONTENT)
}
