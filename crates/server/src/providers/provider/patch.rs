//! `PATCH /v1/providers/{pool}/{provider}`.

use super::{Names, tagged, which};
use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{Json, Path};
use crate::preconditions::Expected;
use crate::problem::Failure;
use axum::extract::State;
use axum::response::Response;
use mainstay_core::api::RawJson;
use mainstay_core::api::providers::{PoolType, Provider, ProviderId};
use mainstay_core::providers::SettingsChange;
use std::sync::Arc;

/// Changes members of a provider's settings (RFC 7396).
///
/// Members that are not named keep their text, byte for byte. Problems: `providers.not_found`, `providers.version_conflict`.
#[utoipa::path(patch, path = "/v1/providers/{pool}/{provider}", operation_id = "patch_provider", tag = "providers",
    request_body = RawJson,
    params(("pool" = PoolType, Path, description = "The pool"),
        ("provider" = ProviderId, Path, description = "The provider"),
        ("if-match" = Option<String>, Header, description = "The tag of the version to change")),
    responses((status = 200, description = "The provider as it is now", body = Provider,
        headers(("etag" = String, description = "The version of its settings"))))
)]
pub(crate) async fn patch(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(names): Path<Names>,
    Expected(expected): Expected,
    Json(patch): Json<RawJson>,
) -> Result<Response, Failure> {
    let change = (SettingsChange::Patch(patch), expected);
    Ok(tagged(app.services.providers.set(&caller, which(names), change).await?))
}
