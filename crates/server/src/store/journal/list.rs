//! `GET /v1/store/journal`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Query;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::store::{JournalEntry, JournalPage, ListJournal};
use mainstay_core::outage::{Entry, EntryState};
use std::sync::Arc;

/// Entries of a page where nobody says how many.
const DEFAULT_PAGE: u32 = 100;

/// Lists the writes that wait at this node for the store, and those that the store did not take.
///
/// Names, never content. Needs the scope in every namespace: the journal belongs to all of them.
#[utoipa::path(get, path = "/v1/store/journal", operation_id = "list_journal", tag = "store", params(ListJournal),
    responses((status = 200, description = "Entries in the order in which they are written", body = JournalPage))
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Query(list): Query<ListJournal>,
) -> Result<Json<JournalPage>, Failure> {
    let limit = list.limit.unwrap_or(DEFAULT_PAGE);
    let entries = app.services.outage.entries(&caller, list.after.unwrap_or(0), limit).await?;
    let full = u32::try_from(entries.len()).is_ok_and(|count| count >= limit);
    let next = entries.last().map(|entry| entry.seq).filter(|_| full);
    Ok(Json(JournalPage { entries: entries.into_iter().map(told).collect(), next }))
}

fn told(entry: Entry) -> JournalEntry {
    let (refused, refused_at) = match entry.state {
        EntryState::Waiting => (None, None),
        EntryState::Refused { reason, at } => (Some(reason), Some(at)),
    };
    let write = entry.write;
    JournalEntry {
        seq: entry.seq,
        kind: write.kind,
        subject: write.subject,
        by: write.by,
        at: write.at,
        refused,
        refused_at,
    }
}
