//! `GET /v1/providers/{pool}/{provider}`.

use super::{Names, tagged, which};
use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use axum::extract::State;
use axum::response::Response;
use mainstay_core::api::providers::{PoolType, Provider, ProviderId};
use std::sync::Arc;

/// A provider: its settings with masks in the place of secrets, its health, counters and circuit.
///
/// The tag is the version of its settings; health and counters change without it. Problems: `providers.not_found`.
#[utoipa::path(get, path = "/v1/providers/{pool}/{provider}", operation_id = "read_provider", tag = "providers",
    params(("pool" = PoolType, Path, description = "The pool"),
        ("provider" = ProviderId, Path, description = "The provider")),
    responses((status = 200, description = "The provider", body = Provider,
        headers(("etag" = String, description = "The version of its settings"))))
)]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(names): Path<Names>,
) -> Result<Response, Failure> {
    Ok(tagged(app.services.providers.provider(&caller, which(names), false).await?))
}
