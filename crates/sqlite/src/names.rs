//! Names and the small numbers that stand for them in indexes.

use crate::errors::Outcome;
use mainstay_core::Error;
use mainstay_core::api::{InstanceId, Namespace};
use rusqlite::{Connection, OptionalExtension};

/// The number of a namespace, where it is known.
pub(crate) fn namespace(connection: &Connection, name: &Namespace) -> Outcome<Option<i64>> {
    let mut statement = connection.prepare_cached("SELECT id FROM namespaces WHERE name = ?1")?;
    Ok(statement.query_row([name.as_str()], |row| row.get(0)).optional()?)
}

/// The number of a namespace; a new one where it is not known.
pub(crate) fn intern_namespace(connection: &Connection, name: &Namespace) -> Outcome<i64> {
    if let Some(id) = namespace(connection, name)? {
        return Ok(id);
    }
    connection.prepare_cached("INSERT INTO namespaces (name) VALUES (?1)")?.execute([name.as_str()])?;
    Ok(connection.last_insert_rowid())
}

/// An inbox, as much of it as writes need.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InboxRow {
    pub id: i64,
    pub member: bool,
    pub seen_ms: i64,
    pub total: u64,
    pub pending: u64,
}

/// The inbox of an instance, where there is one.
pub(crate) fn inbox(connection: &Connection, namespace: i64, instance: &InstanceId) -> Outcome<Option<InboxRow>> {
    let sql = "SELECT id, member, seen_ms, total, pending FROM inboxes WHERE namespace = ?1 AND instance = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let read = |row: &rusqlite::Row<'_>| {
        Ok(InboxRow {
            id: row.get(0)?,
            member: row.get(1)?,
            seen_ms: row.get(2)?,
            total: row.get(3)?,
            pending: row.get(4)?,
        })
    };
    Ok(statement.query_row((namespace, instance.as_str()), read).optional()?)
}

/// How many messages of an inbox wait for an acknowledgement.
pub(crate) fn pending(connection: &Connection, inbox: i64) -> Outcome<u64> {
    let sql = "SELECT pending FROM inboxes WHERE id = ?1";
    Ok(connection.prepare_cached(sql)?.query_row([inbox], |row| row.get(0))?)
}

/// Makes the inbox of an instance that has none.
pub(crate) fn new_inbox(connection: &Connection, namespace: i64, instance: &InstanceId) -> Outcome<InboxRow> {
    let sql = "INSERT INTO inboxes (namespace, instance) VALUES (?1, ?2)";
    connection.prepare_cached(sql)?.execute((namespace, instance.as_str()))?;
    Ok(InboxRow { id: connection.last_insert_rowid(), member: false, seen_ms: 0, total: 0, pending: 0 })
}

/// The inbox of an instance; a new one where there is none.
pub(crate) fn intern_inbox(connection: &Connection, namespace: i64, instance: &InstanceId) -> Outcome<InboxRow> {
    match inbox(connection, namespace, instance)? {
        Some(row) => Ok(row),
        None => new_inbox(connection, namespace, instance),
    }
}

/// An instance as it is stored.
pub(crate) fn parse_instance(text: String) -> Outcome<InstanceId> {
    InstanceId::parse(text).map_err(|broken| Error::inconsistent(broken.to_string()).into())
}

/// A namespace as it is stored.
pub(crate) fn parse_namespace(text: String) -> Outcome<Namespace> {
    Namespace::parse(text).map_err(|broken| Error::inconsistent(broken.to_string()).into())
}
