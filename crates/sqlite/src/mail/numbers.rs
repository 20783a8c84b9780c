//! Mail in numbers: counters that the database keeps, so that none is counted anew.

use crate::errors::Outcome;
use crate::names;
use mainstay_core::api::mail::{InboxCounts, MailStats};
use mainstay_core::api::{InstanceId, Namespace};
use rusqlite::{Connection, OptionalExtension};

/// See [`mainstay_core::mail::MailStore::counts`].
pub(super) fn counts(connection: &Connection, namespace: &Namespace, instance: &InstanceId) -> Outcome<InboxCounts> {
    let Some(namespace) = names::namespace(connection, namespace)? else { return Ok(InboxCounts::default()) };
    let sql = "SELECT total, unread, pending FROM inboxes WHERE namespace = ?1 AND instance = ?2";
    let read =
        |row: &rusqlite::Row<'_>| Ok(InboxCounts { total: row.get(0)?, unread: row.get(1)?, pending: row.get(2)? });
    let counts = connection.prepare_cached(sql)?.query_row((namespace, instance.as_str()), read).optional()?;
    Ok(counts.unwrap_or_default())
}

/// See [`mainstay_core::mail::MailStore::stats`].
pub(super) fn stats(connection: &Connection, namespace: &Namespace) -> Outcome<MailStats> {
    let Some(namespace) = names::namespace(connection, namespace)? else { return Ok(MailStats::default()) };
    let numbers = |row: &rusqlite::Row<'_>| {
        Ok(MailStats {
            total_messages: row.get(0)?,
            pending_messages: row.get(1)?,
            instances: row.get(2)?,
            ..MailStats::default()
        })
    };
    let mut stats = connection.prepare_cached(include_str!("numbers_stats.sql"))?.query_row([namespace], numbers)?;
    let mut statement = connection.prepare_cached("SELECT kind, messages FROM kinds WHERE namespace = ?1")?;
    let kinds = statement.query_map([namespace], |row| Ok((row.get(0)?, row.get(1)?)))?;
    stats.messages_by_type = kinds.collect::<Result<_, _>>()?;
    Ok(stats)
}
