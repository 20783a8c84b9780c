//! `GET /v1/providers/{pool}`.

use super::tagged;
use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use axum::extract::State;
use axum::response::Response;
use mainstay_core::api::providers::{Pool, PoolType};
use std::sync::Arc;

/// A pool with its providers, in their order, with masks in the place of secrets.
///
/// The tag is the revision of settings and of who is in the pool; health and counters change without it. Problems:
/// `providers.not_found`.
#[utoipa::path(get, path = "/v1/providers/{pool}", operation_id = "read_pool", tag = "providers",
    params(("pool" = PoolType, Path, description = "The pool")),
    responses((status = 200, description = "The pool", body = Pool,
        headers(("etag" = String, description = "Its revision"))))
)]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(pool): Path<PoolType>,
) -> Result<Response, Failure> {
    Ok(tagged(app.services.providers.pool(&caller, pool, false).await?))
}
