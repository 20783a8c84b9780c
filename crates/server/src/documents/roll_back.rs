//! `POST /v1/documents/{collection}/{key}/rollback`.

use super::{InPath, write_one};
use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{IdempotencyKey, Json, Path, Query};
use crate::preconditions::Expected;
use crate::problem::Failure;
use axum::extract::State;
use axum::response::Response;
use mainstay_core::api::documents::{
    CollectionName, Committed, DocumentKey, RollBack, WriteDocument, WriteOp, WriteOptions,
};
use std::sync::Arc;

/// Writes an earlier revision of a document again, secrets and all, as a new revision.
///
/// Problems: `documents.not_found`, `documents.version_conflict`, `documents.schema_violation`.
#[utoipa::path(post, path = "/v1/documents/{collection}/{key}/rollback", operation_id = "roll_back_document",
    tag = "documents", request_body = RollBack,
    params(("collection" = CollectionName, Path, description = "The collection"),
        ("key" = DocumentKey, Path, description = "The document"), WriteOptions,
        ("idempotency-key" = Option<String>, Header, description = "The id of this request"),
        ("if-match" = Option<String>, Header, description = "The tag of the revision to replace")),
    responses((status = 200, description = "What changed", body = Committed,
        headers(("etag" = String, description = "Its revision"))))
)]
pub(crate) async fn roll_back(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path((collection, key)): Path<InPath>,
    Query(options): Query<WriteOptions>,
    (IdempotencyKey(request), Expected(expected)): (IdempotencyKey, Expected),
    Json(RollBack { revision }): Json<RollBack>,
) -> Result<Response, Failure> {
    let write = WriteDocument {
        collection,
        key,
        op: WriteOp::RollBack,
        value: None,
        revision: Some(revision),
        expected,
        ttl_ms: options.ttl_ms,
    };
    write_one(&app, &caller, request, (write, options.dry_run)).await
}
