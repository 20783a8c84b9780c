//! `GET /v1/providers/{pool}/{provider}/credential/revealed`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::providers::{Credential, PoolType, ProviderId};
use std::sync::Arc;

/// The credential of a provider with its secrets, byte for byte as it was written, which is recorded.
///
/// Problems: `credentials.not_found`.
#[utoipa::path(get, path = "/v1/providers/{pool}/{provider}/credential/revealed", operation_id = "reveal_credential",
    tag = "providers",
    params(
        ("pool" = PoolType, Path, description = "The pool"),
        ("provider" = ProviderId, Path, description = "The provider")
    ),
    responses((status = 200, description = "The credential", body = Credential))
)]
pub(crate) async fn reveal(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path((pool, provider)): Path<(PoolType, ProviderId)>,
) -> Result<Json<Credential>, Failure> {
    Ok(Json(app.services.tokens.reveal(&caller, pool, provider).await?))
}
