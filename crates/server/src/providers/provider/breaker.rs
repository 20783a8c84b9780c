//! `POST /v1/providers/{pool}/{provider}/breaker`.

use super::{Names, which};
use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{Json as Body, Path};
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::providers::{PoolType, Provider, ProviderId, SetBreaker};
use std::sync::Arc;

/// Forces the circuit of a provider open, or closes it, on all nodes.
///
/// One that is forced open stays so until it is closed; one that is closed is judged by the rules of its pool again. Problems:
/// `providers.not_found`.
#[utoipa::path(post, path = "/v1/providers/{pool}/{provider}/breaker", operation_id = "set_breaker",
    tag = "providers",
    request_body = SetBreaker,
    params(("pool" = PoolType, Path, description = "The pool"),
        ("provider" = ProviderId, Path, description = "The provider")),
    responses((status = 200, description = "The provider as it is now", body = Provider))
)]
pub(crate) async fn breaker(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(names): Path<Names>,
    Body(set): Body<SetBreaker>,
) -> Result<Json<Provider>, Failure> {
    Ok(Json(app.services.providers.set_breaker(&caller, which(names), set).await?))
}
