//! `GET /v1/gateway/keys`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Query;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::gateway::{GatewayKey, ListGatewayKeys};
use mainstay_core::api::page::Page;
use std::sync::Arc;

/// Lists the keys of the gateway in the namespace of the call, by id. The last page is the empty one.
#[utoipa::path(get, path = "/v1/gateway/keys", operation_id = "list_gateway_keys", tag = "gateway",
    params(ListGatewayKeys),
    responses((status = 200, description = "A page of keys", body = Page<GatewayKey>))
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Query(list): Query<ListGatewayKeys>,
) -> Result<Json<Page<GatewayKey>>, Failure> {
    Ok(Json(app.services.gateway_keys.list(&caller, list).await?))
}
