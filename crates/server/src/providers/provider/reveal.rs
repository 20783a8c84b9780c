//! `GET /v1/providers/{pool}/{provider}/revealed`.

use super::{Names, tagged, which};
use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use axum::extract::State;
use axum::response::Response;
use mainstay_core::api::providers::{PoolType, Provider, ProviderId};
use std::sync::Arc;

/// A provider with the secrets in its settings, which is recorded.
///
/// Problems: `providers.not_found`.
#[utoipa::path(get, path = "/v1/providers/{pool}/{provider}/revealed", operation_id = "reveal_provider",
    tag = "providers",
    params(("pool" = PoolType, Path, description = "The pool"),
        ("provider" = ProviderId, Path, description = "The provider")),
    responses((status = 200, description = "The provider, its settings byte for byte as they were written",
        body = Provider, headers(("etag" = String, description = "The version of its settings"))))
)]
pub(crate) async fn reveal(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(names): Path<Names>,
) -> Result<Response, Failure> {
    Ok(tagged(app.services.providers.provider(&caller, which(names), true).await?))
}
