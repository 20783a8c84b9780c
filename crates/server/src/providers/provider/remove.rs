//! `DELETE /v1/providers/{pool}/{provider}`.

use super::{Names, which};
use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use axum::extract::State;
use http::StatusCode;
use mainstay_core::api::providers::{PoolType, ProviderId};
use std::sync::Arc;

/// Removes a provider with its counters and its credential.
///
/// Requests that are with it end as they would have. Problems: `providers.not_found`.
#[utoipa::path(delete, path = "/v1/providers/{pool}/{provider}", operation_id = "remove_provider", tag = "providers",
    params(("pool" = PoolType, Path, description = "The pool"),
        ("provider" = ProviderId, Path, description = "The provider")),
    responses((status = 204, description = "It is removed"))
)]
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(names): Path<Names>,
) -> Result<StatusCode, Failure> {
    app.services.providers.remove(&caller, which(names)).await?;
    Ok(StatusCode::NO_CONTENT)
}
