//! `GET /v1/documents/changes`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Query;
use crate::live::{self, SAFETY_READ};
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::documents::{DocumentChanges, ListChanges};
use mainstay_core::{Caller, Result, Topic};
use mainstay_hub::Wake;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Lists changes after a position, in order and without gaps, and may wait for one.
///
/// An answer without changes says that the wait is over; go on from its `position`. Where that position cannot be
/// continued, `compacted` says so: list the documents again, and go on from there.
#[utoipa::path(get, path = "/v1/documents/changes", operation_id = "list_document_changes", tag = "documents",
    params(ListChanges),
    responses((status = 200, description = "What changed after the position", body = DocumentChanges))
)]
pub(crate) async fn changes(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Query(list): Query<ListChanges>,
) -> Result<Json<DocumentChanges>, Failure> {
    let changes = live::poll(&app, list.wait_ms, |wait_for| wait(&app, &caller, list, wait_for));
    Ok(Json(changes.await?))
}

/// Reads until there is a change, the time is over, or the server stops.
async fn wait(app: &App, caller: &Caller, mut list: ListChanges, wait: Duration) -> Result<DocumentChanges> {
    let documents = &app.services.documents;
    if wait.is_zero() || list.after.is_none() {
        return documents.changes(caller, &list).await;
    }
    // Before the first read, so that what changes between the read and the wait is heard.
    let mut watch = app.services.hub.watch(Topic::Documents(caller.namespace.clone()));
    let deadline = Instant::now() + wait;
    loop {
        let read = documents.changes(caller, &list).await?;
        let left = deadline.saturating_duration_since(Instant::now());
        if !read.changes.is_empty() || read.compacted.is_some() || left.is_zero() {
            return Ok(read);
        }
        // Changes of other collections were passed over; there may be more behind them.
        let moved = list.after.as_ref() != Some(&read.position);
        list.after = Some(read.position.clone());
        if moved {
            continue;
        }
        let wake = app.shutdown.run_until_cancelled(watch.changed(left.min(SAFETY_READ))).await;
        if matches!(wake, None | Some(Wake::Closed)) {
            return Ok(read);
        }
    }
}
