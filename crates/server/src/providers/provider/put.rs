//! `PUT /v1/providers/{pool}/{provider}`.

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

/// Writes the settings of a provider whole, and nothing else of it; adds it where it is not there.
///
/// A mask where a secret stands keeps that secret. With `If-Match` only the version that the caller has seen is replaced, with
/// `If-None-Match: *` none; where the settings say already what they are to say, that is the answer. Problems:
/// `providers.version_conflict`, `providers.full`.
#[utoipa::path(put, path = "/v1/providers/{pool}/{provider}", operation_id = "put_provider", tag = "providers",
    request_body = RawJson,
    params(("pool" = PoolType, Path, description = "The pool"),
        ("provider" = ProviderId, Path, description = "The provider"),
        ("if-match" = Option<String>, Header, description = "The tag of the version to replace"),
        ("if-none-match" = Option<String>, Header, description = "`*`: the provider must not be there")),
    responses((status = 200, description = "The provider as it is now", body = Provider,
        headers(("etag" = String, description = "The version of its settings"))))
)]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(names): Path<Names>,
    Expected(expected): Expected,
    Json(settings): Json<RawJson>,
) -> Result<Response, Failure> {
    let change = (SettingsChange::Put(settings), expected);
    Ok(tagged(app.services.providers.set(&caller, which(names), change).await?))
}
