//! `DELETE /v1/conversations`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Query;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::Error;
use mainstay_core::api::conversations::ErasedConversations;
use mainstay_core::conversations::Whose;
use serde::Deserialize;
use std::sync::Arc;

/// The confirmation of an erasure.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirm {
    /// The user whose conversations are to be erased, as `/v1/whoami` names it.
    confirm: Option<String>,
}

/// Erases every conversation of the caller, for good.
///
/// The call must name the user in `confirm`, so that a wrong path erases nothing. May be repeated.
#[utoipa::path(delete, path = "/v1/conversations", operation_id = "erase_conversations", tag = "conversations",
    params(Confirm),
    responses((status = 200, description = "They are gone", body = ErasedConversations))
)]
pub(crate) async fn erase(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Query(Confirm { confirm }): Query<Confirm>,
) -> Result<Json<ErasedConversations>, Failure> {
    if confirm.as_deref() != Some(caller.subject.user.as_str()) {
        return Err(Failure(Error::invalid(format!(
            "confirm: it must be the user whose conversations are erased, {:?}",
            caller.subject.user.as_str()
        ))));
    }
    Ok(Json(app.services.conversations.erase(&caller, &Whose::Own).await?))
}
