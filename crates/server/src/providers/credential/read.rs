//! `GET /v1/providers/{pool}/{provider}/credential`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::providers::{Credential, PoolType, ProviderId};
use std::sync::Arc;

/// The credential of a provider, masked, and how its refresh stands.
///
/// Problems: `credentials.not_found`.
#[utoipa::path(get, path = "/v1/providers/{pool}/{provider}/credential", operation_id = "read_credential",
    tag = "providers",
    params(
        ("pool" = PoolType, Path, description = "The pool"),
        ("provider" = ProviderId, Path, description = "The provider")
    ),
    responses((status = 200, description = "The credential, masked", body = Credential))
)]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path((pool, provider)): Path<(PoolType, ProviderId)>,
) -> Result<Json<Credential>, Failure> {
    Ok(Json(app.services.tokens.show(&caller, pool, provider).await?))
}
