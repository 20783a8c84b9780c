//! `PUT /v1/providers/{pool}`.

use super::tagged;
use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{Json, Path};
use crate::preconditions::Expected;
use crate::problem::Failure;
use axum::extract::State;
use axum::response::Response;
use mainstay_core::api::providers::{Pool, PoolType, PutPool};
use std::sync::Arc;

/// Writes a pool: its settings, or all of its providers, or both, in one step that no reader sees half of.
///
/// What the body does not name stays. Providers that stay keep their health, counters and credentials; those that are not in
/// the list leave the pool with all that is known of them. A mask where a secret stands keeps that secret. With `If-Match` only the
/// revision that the caller has seen is replaced, with `If-None-Match: *` none. Problems: `providers.version_conflict`,
/// `providers.full`.
#[utoipa::path(put, path = "/v1/providers/{pool}", operation_id = "put_pool", tag = "providers",
    request_body = PutPool,
    params(("pool" = PoolType, Path, description = "The pool"),
        ("if-match" = Option<String>, Header, description = "The tag of the revision to replace"),
        ("if-none-match" = Option<String>, Header, description = "`*`: the pool must not be there")),
    responses((status = 200, description = "The pool as it is now", body = Pool,
        headers(("etag" = String, description = "Its revision"))))
)]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(pool): Path<PoolType>,
    Expected(expected): Expected,
    Json(body): Json<PutPool>,
) -> Result<Response, Failure> {
    Ok(tagged(app.services.providers.put_pool(&caller, pool, (body, expected)).await?))
}
