//! `GET /v1/documents/watch`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Query;
use crate::live::{self, Batch, Feed, SAFETY_READ, Subscription};
use crate::problem::Failure;
use axum::extract::State;
use axum::response::Response;
use axum::response::sse::Event;
use http::HeaderMap;
use mainstay_core::api::Position;
use mainstay_core::api::documents::{CollectionName, DocumentChange, DocumentChanges, ListChanges};
use mainstay_core::{Caller, Result, Topic};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Changes of one read.
const PAGE: u32 = 100;

/// Where to begin, and with what.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Start {
    /// The position that an earlier answer, or a list, gave; from now on where absent.
    #[param(value_type = Option<String>)]
    after: Option<Position>,
    /// Only changes of this collection.
    #[param(value_type = Option<String>)]
    collection: Option<CollectionName>,
}

/// Follows the documents of the namespace, as server-sent events.
///
/// Begins where `after` or the `Last-Event-ID` header says. Events: `changes` (the changes of one transaction; its id is the
/// position to resume from), `ready` (all that was there has been told), `compacted` (the position cannot be continued: list
/// the documents again; what follows comes after its `head`), `problem` (the store is away; the stream goes on by itself), `bye`
/// (the stream ends: `credential` with the caller's right to it, `stopping` with the server).
#[utoipa::path(get, path = "/v1/documents/watch", operation_id = "watch_documents", tag = "documents",
    params(Start, ("last-event-id" = Option<String>, Header, description = "The position to resume from")),
    responses((status = 200, description = "Events", content_type = "text/event-stream", body = DocumentChange))
)]
pub(crate) async fn watch(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Query(start): Query<Start>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let after = live::last_event_id(&headers, "a position")?.or(start.after);
    let permit = app.admission.live()?;
    let watch = app.services.hub.watch(Topic::Documents(caller.namespace.clone()));
    let subscription = Subscription { app: Arc::clone(&app), watch, permit };
    let feed = DocumentFeed { app, caller, after, collection: start.collection, ready: false };
    Ok(live::stream(feed, subscription).await?)
}

struct DocumentFeed {
    app: Arc<App>,
    caller: Caller,
    after: Option<Position>,
    collection: Option<CollectionName>,
    ready: bool,
}

/// The changes of one transaction.
#[derive(Serialize)]
struct Told<'a> {
    position: Position,
    changes: &'a [DocumentChange],
}

impl Feed for DocumentFeed {
    async fn read(&mut self) -> Result<Batch> {
        let list = ListChanges {
            after: self.after.clone(),
            collection: self.collection.clone(),
            limit: Some(PAGE),
            wait_ms: None,
        };
        let read = self.app.services.documents.changes(&self.caller, &list).await?;
        // At the end of the log nothing moves.
        let more = self.after.as_ref().is_some_and(|after| *after != read.position);
        Ok(self.told_of(&read, more))
    }
}

impl DocumentFeed {
    fn told_of(&mut self, read: &DocumentChanges, more: bool) -> Batch {
        let mut events: Vec<Event> = Vec::new();
        if let Some(compacted) = &read.compacted {
            events.push(live::json("compacted", compacted).id(read.position.to_string()));
        }
        for changes in read.changes.chunk_by(|one, next| one.revision == next.revision) {
            let mut position = read.position.clone();
            position.offset.0 = changes[0].revision;
            let id = position.to_string();
            events.push(live::json("changes", &Told { position, changes }).id(id));
        }
        if !more && !self.ready {
            self.ready = true;
            let told = Told { position: read.position.clone(), changes: &[] };
            events.push(live::json("ready", &told).id(read.position.to_string()));
        }
        self.after = Some(read.position.clone());
        Batch { events, wait: (!more).then_some(SAFETY_READ), end: None }
    }
}
