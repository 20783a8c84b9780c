//! `PUT /v1/documents/{collection}/{key}`.

use super::{InPath, write_one};
use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{IdempotencyKey, Json, Path, Query};
use crate::preconditions::Expected;
use crate::problem::Failure;
use axum::extract::State;
use axum::response::Response;
use mainstay_core::api::RawJson;
use mainstay_core::api::documents::{CollectionName, Committed, DocumentKey, WriteDocument, WriteOp, WriteOptions};
use std::sync::Arc;

/// Writes a document whole.
///
/// A mask where a secret stands keeps that secret. With `If-Match` only the revision that the caller has seen is replaced, with
/// `If-None-Match: *` none. `dry_run` only tells what would change. Problems: `documents.version_conflict`,
/// `documents.schema_violation`, `documents.full`.
#[utoipa::path(put, path = "/v1/documents/{collection}/{key}", operation_id = "put_document", tag = "documents",
    request_body = RawJson,
    params(("collection" = CollectionName, Path, description = "The collection"),
        ("key" = DocumentKey, Path, description = "The document"), WriteOptions,
        ("idempotency-key" = Option<String>, Header, description = "The id of this request"),
        ("if-match" = Option<String>, Header, description = "The tag of the revision to replace"),
        ("if-none-match" = Option<String>, Header, description = "`*`: the document must not be there")),
    responses((status = 200, description = "What changed", body = Committed,
        headers(("etag" = String, description = "Its revision"))))
)]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path((collection, key)): Path<InPath>,
    Query(options): Query<WriteOptions>,
    (IdempotencyKey(request), Expected(expected)): (IdempotencyKey, Expected),
    Json(value): Json<RawJson>,
) -> Result<Response, Failure> {
    let write = WriteDocument {
        collection,
        key,
        op: WriteOp::Put,
        value: Some(value),
        revision: None,
        expected,
        ttl_ms: options.ttl_ms,
    };
    write_one(&app, &caller, request, (write, options.dry_run)).await
}
