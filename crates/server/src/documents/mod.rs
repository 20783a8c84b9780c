//! The endpoints of documents.

pub(crate) mod changes;
pub(crate) mod collections;
pub(crate) mod delete;
pub(crate) mod history;
pub(crate) mod list;
pub(crate) mod patch;

pub(crate) mod put;
pub(crate) mod read;
pub(crate) mod reveal;
pub(crate) mod roll_back;
pub(crate) mod transact;
pub(crate) mod watch;

use crate::app::App;
use crate::problem::Failure;
use crate::tags::etag;
use axum::response::{IntoResponse, Response};
use http::header::ETAG;
use mainstay_core::Caller;
use mainstay_core::api::documents::{CollectionName, Document, DocumentKey, Transaction, WriteDocument};
use mainstay_core::api::ids::RequestId;
use mainstay_core::documents::DocumentName;

/// The collection and the key in a path.
type InPath = (CollectionName, DocumentKey);

fn name((collection, key): InPath) -> DocumentName {
    DocumentName { collection, key }
}

/// A document with its tag.
fn tagged(document: Document) -> Response {
    ([(ETAG, etag(document.revision))], axum::Json(document)).into_response()
}

/// Writes one document, and answers with its new tag.
async fn write_one(
    app: &App,
    caller: &Caller,
    request: Option<RequestId>,
    (write, dry_run): (WriteDocument, bool),
) -> Result<Response, Failure> {
    let transaction = Transaction { changes: vec![write], dry_run };
    let committed = app.services.documents.write(caller, request, &transaction).await?;
    if committed.position.is_none() {
        return Ok(axum::Json(committed).into_response());
    }
    Ok(([(ETAG, etag(committed.revision()))], axum::Json(committed)).into_response())
}
