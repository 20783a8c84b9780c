//! Groups: where each stands in its log.

use crate::errors::Outcome;
use crate::events::log;
use crate::names;
use mainstay_core::api::events::EventOffset;
use mainstay_core::events::{GroupKey, GroupOutcome, GroupStart};
use rusqlite::{Connection, OptionalExtension, Row};

/// A group, and the number that stands for it.
pub(super) struct Group {
    pub id: i64,
    pub log: i64,
    /// Up to which event it was delivered.
    pub delivered: EventOffset,
    /// Up to which event the log was trimmed.
    pub trimmed: EventOffset,
}

/// A group to make.
pub(super) struct Create {
    pub key: GroupKey,
    pub start: GroupStart,
    pub max_groups: u32,
}

/// The group of this name, where there is one.
pub(super) fn find(connection: &Connection, key: &GroupKey) -> Outcome<Option<Group>> {
    let Some(namespace) = names::namespace(connection, &key.log.namespace)? else { return Ok(None) };
    let mut statement = connection.prepare_cached(include_str!("group_find.sql"))?;
    let read = |row: &Row<'_>| {
        let (delivered, trimmed) = (log::offset(row, 2)?, log::offset(row, 4)?);
        Ok(Group { id: row.get(0)?, log: row.get(1)?, delivered, trimmed })
    };
    let name = (namespace, key.log.stream.as_str(), key.log.partition, key.group.as_str());
    Ok(statement.query_row(name, read).optional()?)
}

/// See [`mainstay_core::events::GroupStore::create_group`].
pub(super) fn create(connection: &Connection, create: &Create) -> Outcome<GroupOutcome> {
    if find(connection, &create.key)?.is_some() {
        return Ok(GroupOutcome::Exists);
    }
    let log = log::find_or_make(connection, &create.key.log)?;
    let sql = "SELECT count(*) FROM event_groups WHERE log = ?1";
    let count: u32 = connection.prepare_cached(sql)?.query_row([log.id], |row| row.get(0))?;
    if count >= create.max_groups {
        return Ok(GroupOutcome::TooMany);
    }
    let delivered = match create.start {
        GroupStart::Oldest => EventOffset::ZERO,
        GroupStart::New => log.last,
        GroupStart::After(offset) => offset,
    };
    let sql = "INSERT INTO event_groups (log, name, delivered_ms, delivered_seq) VALUES (?1, ?2, ?3, ?4)";
    let row = (log.id, create.key.group.as_str(), delivered.ms, delivered.seq);
    connection.prepare_cached(sql)?.execute(row)?;
    Ok(GroupOutcome::Created)
}

/// See [`mainstay_core::events::GroupStore::remove_group`].
pub(super) fn remove(connection: &Connection, key: &GroupKey) -> Outcome<bool> {
    let Some(group) = find(connection, key)? else { return Ok(false) };
    for table in ["event_holds", "event_copies", "event_consumers"] {
        connection.prepare_cached(&format!("DELETE FROM {table} WHERE owner = ?1"))?.execute([group.id])?;
    }
    connection.prepare_cached("DELETE FROM event_groups WHERE id = ?1")?.execute([group.id])?;
    Ok(true)
}

/// Writes up to which event a group was delivered.
pub(super) fn save_delivered(connection: &Connection, group: &Group) -> Outcome<()> {
    let sql = "UPDATE event_groups SET delivered_ms = ?2, delivered_seq = ?3 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute((group.id, group.delivered.ms, group.delivered.seq))?;
    Ok(())
}

/// Counts an event that was trimmed while a consumer held it.
pub(super) fn count_lost(connection: &Connection, group: &Group) -> Outcome<()> {
    connection.prepare_cached("UPDATE event_groups SET lost = lost + 1 WHERE id = ?1")?.execute([group.id])?;
    Ok(())
}
