//! `POST /v1/mail/import`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Json;
use crate::problem::Failure;
use axum::extract::State;
use mainstay_core::api::mail::{ImportMessages, ImportOutcomes};
use std::sync::Arc;

/// Imports messages with their times and acknowledgements.
///
/// Repeating an import changes nothing. Needs the scope `mail:admin`.
#[utoipa::path(post, path = "/v1/mail/import", operation_id = "import_messages", tag = "mail",
    request_body = ImportMessages,
    responses((status = 200, description = "One outcome for each message", body = ImportOutcomes))
)]
pub(crate) async fn import(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Json(import): Json<ImportMessages>,
) -> Result<axum::Json<ImportOutcomes>, Failure> {
    Ok(axum::Json(app.services.mail.import(&caller, import).await?))
}
