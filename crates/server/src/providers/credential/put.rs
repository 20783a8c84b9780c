//! `PUT /v1/providers/{pool}/{provider}/credential`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{Json, Path, Query};
use crate::problem::Failure;
use axum::Json as Answer;
use axum::extract::State;
use mainstay_core::api::RawJson;
use mainstay_core::api::providers::{Credential, PoolType, ProviderId, PutCredentialQuery};
use mainstay_core::providers::credentials::WrittenCredential;
use std::sync::Arc;

/// Writes the credential of a provider: a token file as it is, of either family of names.
///
/// It is sealed as a whole and answered masked. What was known of its refresh is forgotten. Problems:
/// `credentials.not_found`, `credentials.version_conflict` where `expected` is not the version that it has.
#[utoipa::path(put, path = "/v1/providers/{pool}/{provider}/credential", operation_id = "put_credential",
    tag = "providers",
    params(
        ("pool" = PoolType, Path, description = "The pool"),
        ("provider" = ProviderId, Path, description = "The provider"),
        PutCredentialQuery
    ),
    request_body = RawJson,
    responses((status = 200, description = "The credential as it stands, masked", body = Credential))
)]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path((pool, provider)): Path<(PoolType, ProviderId)>,
    Query(query): Query<PutCredentialQuery>,
    Json(text): Json<RawJson>,
) -> Result<Answer<Credential>, Failure> {
    let text = text.as_str().to_owned().into();
    let written = WrittenCredential { pool, provider, text, expected: query.expected };
    Ok(Answer(app.services.tokens.put(&caller, written).await?))
}
