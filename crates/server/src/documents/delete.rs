//! `DELETE /v1/documents/{collection}/{key}`.

use super::{InPath, write_one};
use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{IdempotencyKey, Path, Query};
use crate::preconditions::Expected;
use crate::problem::Failure;
use axum::extract::State;
use axum::response::Response;
use mainstay_core::api::documents::{CollectionName, Committed, DocumentKey, WriteDocument, WriteOp, WriteOptions};
use std::sync::Arc;

/// Deletes a document. Its history stays for a time.
///
/// Problems: `documents.not_found`, `documents.version_conflict`.
#[utoipa::path(delete, path = "/v1/documents/{collection}/{key}", operation_id = "delete_document", tag = "documents",
    params(("collection" = CollectionName, Path, description = "The collection"),
        ("key" = DocumentKey, Path, description = "The document"), WriteOptions,
        ("idempotency-key" = Option<String>, Header, description = "The id of this request"),
        ("if-match" = Option<String>, Header, description = "The tag of the revision to delete")),
    responses((status = 200, description = "What changed", body = Committed))
)]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path((collection, key)): Path<InPath>,
    Query(options): Query<WriteOptions>,
    (IdempotencyKey(request), Expected(expected)): (IdempotencyKey, Expected),
) -> Result<Response, Failure> {
    let write =
        WriteDocument { collection, key, op: WriteOp::Delete, value: None, revision: None, expected, ttl_ms: None };
    write_one(&app, &caller, request, (write, options.dry_run)).await
}
