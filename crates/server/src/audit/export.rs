//! `GET /v1/audit/export`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Query;
use crate::problem::{self, Failure};
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use http::header::CONTENT_TYPE;
use mainstay_core::api::audit::{AuditFormat, ExportAudit};
use std::sync::Arc;

/// Takes entries out of the audit trail, oldest first, one JSON document a line: as they are stored, as FHIR R4
/// `AuditEvent` resources, or as OCSF events.
///
/// The answer ends early, without the end of its body, where the store fails on the way.
#[utoipa::path(get, path = "/v1/audit/export", operation_id = "export_audit", tag = "audit",
    params(ExportAudit),
    responses((status = 200, description = "One JSON document a line", body = String, content_type = "application/x-ndjson"))
)]
pub(crate) async fn export(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Query(export): Query<ExportAudit>,
) -> Result<Response, Failure> {
    let permit = app.admission.live()?;
    let format = export.format.unwrap_or_default();
    let pieces = app.services.audit.export(&caller, export).await?;
    let pieces = pieces.map(move |piece| {
        // The stream counts among the live ones for as long as it is read.
        let _held = &permit;
        piece.inspect_err(problem::log)
    });
    let kind = match format {
        AuditFormat::Fhir => "application/fhir+ndjson",
        AuditFormat::Jsonl | AuditFormat::Ocsf => "application/x-ndjson",
    };
    Ok(([(CONTENT_TYPE, kind)], Body::from_stream(pieces)).into_response())
}
