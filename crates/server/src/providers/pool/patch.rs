//! `PATCH /v1/providers/{pool}`.

use super::tagged;
use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{Json, Path};
use crate::preconditions::Expected;
use crate::problem::Failure;
use axum::extract::State;
use axum::response::Response;
use mainstay_core::api::RawJson;
use mainstay_core::api::providers::{Pool, PoolType};
use std::sync::Arc;

/// Changes members of the settings of a pool itself (RFC 7396).
///
/// Members that are not named keep their text, byte for byte. Problems: `providers.not_found`, `providers.version_conflict`.
#[utoipa::path(patch, path = "/v1/providers/{pool}", operation_id = "patch_pool", tag = "providers",
    request_body = RawJson,
    params(("pool" = PoolType, Path, description = "The pool"),
        ("if-match" = Option<String>, Header, description = "The tag of the revision to change")),
    responses((status = 200, description = "The pool as it is now", body = Pool,
        headers(("etag" = String, description = "Its revision"))))
)]
pub(crate) async fn patch(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(pool): Path<PoolType>,
    Expected(expected): Expected,
    Json(patch): Json<RawJson>,
) -> Result<Response, Failure> {
    Ok(tagged(app.services.providers.patch_pool(&caller, pool, (patch, expected)).await?))
}
