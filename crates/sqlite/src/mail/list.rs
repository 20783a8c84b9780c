//! Listing messages by time.

use super::message;
use super::page::Filling;
use super::row::View;
use super::scan::{End, Source, walk};
use crate::errors::Outcome;
use crate::names;
use mainstay_core::mail::{ListPage, ListQuery};
use rusqlite::Connection;

/// See [`mainstay_core::mail::MailStore::list`].
pub(super) fn list(connection: &Connection, query: &ListQuery) -> Outcome<ListPage> {
    let epoch = message::epoch(connection)?;
    let nothing = ListPage { epoch, rows: Vec::new(), next: None };
    let Some(namespace) = names::namespace(connection, &query.namespace)? else { return Ok(nothing) };
    let Some(source) = source(connection, namespace, query)? else { return Ok(nothing) };
    let view = View::new(connection, namespace, query.viewer.as_ref(), query.receipts)?;
    let mut page = Filling::new(query.limit);
    let mut last = None;
    let end = walk(connection, &source, query, |place| {
        // One more match than fits tells that there is a next page.
        if page.is_full() || !page.push(view.load(connection, i64::try_from(place.offset.0).unwrap_or(i64::MAX))?) {
            return Ok(false);
        }
        last = Some(place);
        Ok(true)
    })?;
    let next = match end {
        End::Exhausted => None,
        End::Stopped => last,
        End::Tired(place) => Some(place),
    };
    Ok(ListPage { rows: page.into_rows(), next, ..nothing })
}

/// What to follow; `None` where the inbox does not exist.
fn source<'a>(connection: &Connection, namespace: i64, query: &'a ListQuery) -> Outcome<Option<Source<'a>>> {
    if let Some(recipient) = &query.recipient {
        if recipient.is_all() {
            return Ok(Some(Source::Broadcasts(namespace)));
        }
        let inbox = names::inbox(connection, namespace, recipient)?.map(|row| row.id);
        return Ok(inbox.map(|inbox| if query.pending { Source::PendingOf(inbox) } else { Source::Inbox(inbox) }));
    }
    Ok(Some(match &query.thread {
        Some(thread) => Source::Thread(namespace, thread),
        None if query.pending => Source::Waiting(namespace),
        None => Source::All(namespace),
    }))
}
