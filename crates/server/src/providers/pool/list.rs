//! `GET /v1/providers`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::providers::PoolList;
use std::sync::Arc;

/// The pools of the namespace, by name.
#[utoipa::path(get, path = "/v1/providers", operation_id = "list_pools", tag = "providers",
    responses((status = 200, description = "The pools", body = PoolList))
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
) -> Result<Json<PoolList>, Failure> {
    Ok(Json(app.services.providers.pools(&caller).await?))
}
