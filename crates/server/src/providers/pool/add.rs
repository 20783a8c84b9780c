//! `POST /v1/providers/{pool}`.

use crate::access::Resource;
use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{IdempotencyKey, Json, Path};
use crate::problem::Failure;
use crate::tags::etag;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{ETAG, LOCATION};
use mainstay_core::api::providers::{AddProvider, PoolType, Provider};
use std::sync::Arc;

/// Adds a provider at the end of a pool, which is made where there is none.
///
/// The id is made where none is given; a repetition with the same request id answers with the same provider. Problems:
/// `providers.exists`, `providers.full`.
#[utoipa::path(post, path = "/v1/providers/{pool}", operation_id = "add_provider", tag = "providers",
    request_body = AddProvider,
    params(("pool" = PoolType, Path, description = "The pool"),
        ("idempotency-key" = Option<String>, Header, description = "The id of this request")),
    responses((status = 201, description = "The provider, with masks in the place of secrets", body = Provider,
        headers(("etag" = String, description = "The version of its settings"),
            ("location" = String, description = "Where to read it"))))
)]
pub(crate) async fn add(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(pool): Path<PoolType>,
    IdempotencyKey(request): IdempotencyKey,
    Json(body): Json<AddProvider>,
) -> Result<Response, Failure> {
    let added = app.services.providers.add(&caller, pool, (body, request)).await?;
    let location = format!("/v1/providers/{}/{}", added.pool, added.id);
    let resource = Extension(Resource(format!("{}/{}", added.pool, added.id)));
    let headers = [(ETAG, etag(added.version)), (LOCATION, location)];
    Ok((StatusCode::CREATED, resource, headers, axum::Json(added)).into_response())
}
