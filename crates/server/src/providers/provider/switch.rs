//! `POST /v1/providers/{pool}/{provider}/enable` and `POST /v1/providers/{pool}/{provider}/disable`.

use super::{Names, tagged, which};
use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use axum::extract::State;
use axum::response::Response;
use mainstay_core::api::providers::{PoolType, Provider, ProviderId};
use mainstay_core::providers::SettingsChange;
use std::sync::Arc;

/// Lets a provider be chosen again.
///
/// Problems: `providers.not_found`.
#[utoipa::path(post, path = "/v1/providers/{pool}/{provider}/enable", operation_id = "enable_provider",
    tag = "providers",
    params(("pool" = PoolType, Path, description = "The pool"),
        ("provider" = ProviderId, Path, description = "The provider")),
    responses((status = 200, description = "The provider as it is now", body = Provider,
        headers(("etag" = String, description = "The version of its settings"))))
)]
pub(crate) async fn enable(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(names): Path<Names>,
) -> Result<Response, Failure> {
    let change = (SettingsChange::Disable(false), None);
    Ok(tagged(app.services.providers.set(&caller, which(names), change).await?))
}

/// Leaves a provider out of every choice. Requests that are with it end as they would have.
///
/// Problems: `providers.not_found`.
#[utoipa::path(post, path = "/v1/providers/{pool}/{provider}/disable", operation_id = "disable_provider",
    tag = "providers",
    params(("pool" = PoolType, Path, description = "The pool"),
        ("provider" = ProviderId, Path, description = "The provider")),
    responses((status = 200, description = "The provider as it is now", body = Provider,
        headers(("etag" = String, description = "The version of its settings"))))
)]
pub(crate) async fn disable(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(names): Path<Names>,
) -> Result<Response, Failure> {
    let change = (SettingsChange::Disable(true), None);
    Ok(tagged(app.services.providers.set(&caller, which(names), change).await?))
}
