//! `DELETE /v1/keys/{id}`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use axum::extract::State;
use http::StatusCode;
use mainstay_core::api::KeyId;
use std::sync::Arc;

/// Ends an API key at once.
///
/// Problems: `identity.not_found`.
#[utoipa::path(delete, path = "/v1/keys/{id}", operation_id = "revoke_key", tag = "identity",
    params(("id" = String, Path, description = "The id")),
    responses((status = 204, description = "The key has ended"))
)]
pub(crate) async fn revoke(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<KeyId>,
) -> Result<StatusCode, Failure> {
    app.services.identity.revoke_key(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
