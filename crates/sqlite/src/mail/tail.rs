//! Reading an inbox in the order of arrival.

use super::append::offset_of;
use super::message;
use super::page::{Filling, MAX_EXAMINED};
use super::row::View;
use crate::errors::Outcome;
use crate::names;
use mainstay_core::Error;
use mainstay_core::api::{InstanceId, MessageType, Offset};
use mainstay_core::mail::{TailPage, TailQuery};
use rusqlite::{Connection, OptionalExtension};

/// See [`mainstay_core::mail::MailStore::tail`].
pub(super) fn tail(connection: &Connection, query: &TailQuery) -> Outcome<TailPage> {
    let epoch = message::epoch(connection)?;
    let mut page =
        TailPage { epoch, rows: Vec::new(), position: Offset(0), more: false, dropped_to: None, member: false };
    let Some(namespace) = names::namespace(connection, &query.namespace)? else { return Ok(page) };
    let head = "SELECT head FROM namespaces WHERE id = ?1";
    page.position = offset_of(connection.prepare_cached(head)?.query_row([namespace], |row| row.get(0))?)?;
    let Some(inbox) = names::inbox(connection, namespace, &query.recipient)? else { return Ok(page) };
    page.member = inbox.member;
    let dropped = "SELECT dropped_to FROM inboxes WHERE id = ?1";
    let dropped_to: Option<Option<i64>> =
        connection.prepare_cached(dropped)?.query_row([inbox.id], |row| row.get(0)).optional()?;
    page.dropped_to = dropped_to.flatten().map(offset_of).transpose()?;
    if query.limit > 0 {
        let view = View::new(connection, namespace, Some(&query.recipient), false)?;
        read(connection, inbox.id, query, &view, &mut page)?;
    }
    Ok(page)
}

/// Fills a page whose position is the head of the namespace, and sets the position back where the page ends earlier.
fn read(connection: &Connection, inbox: i64, query: &TailQuery, view: &View<'_>, page: &mut TailPage) -> Outcome<()> {
    let sql = if query.unread_only { include_str!("tail_unread.sql") } else { include_str!("tail_all.sql") };
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query((inbox, i64::try_from(query.after.0).unwrap_or(i64::MAX)))?;
    let mut filling = Filling::new(query.limit);
    let mut position = query.after;
    for examined in 0.. {
        let Some(row) = rows.next()? else { break };
        let offset: i64 = row.get(0)?;
        // Stopping before this row, and only then, there is more.
        let stops = examined >= MAX_EXAMINED
            || accepts(row, query)? && (filling.is_full() || !filling.push(view.load(connection, offset)?));
        if stops {
            page.position = position;
            page.more = true;
            break;
        }
        position = offset_of(offset)?;
    }
    page.rows = filling.into_rows();
    Ok(())
}

fn accepts(row: &rusqlite::Row<'_>, query: &TailQuery) -> Outcome<bool> {
    let kept: bool = row.get(1)?;
    let expires_ms: i64 = row.get(2)?;
    if !kept || expires_ms <= query.now.as_millis() {
        return Ok(false);
    }
    let matches = |column: usize, wanted: Option<&str>| -> Outcome<bool> {
        let text = row.get_ref(column)?.as_str().map_err(|error| Error::inconsistent(error.to_string()))?;
        Ok(wanted.is_none_or(|wanted| wanted == text))
    };
    Ok(matches(3, query.kind.as_ref().map(MessageType::as_str))?
        && matches(4, query.sender.as_ref().map(InstanceId::as_str))?)
}
