//! One message in the log: finding it, adding it, removing it.

use crate::errors::Outcome;
use crate::names;
use mainstay_core::api::{Epoch, MessageId, Offset, Timestamp};
use mainstay_core::mail::{Append, Recipients};
use mainstay_core::{Error, Topic};
use rusqlite::{Connection, OptionalExtension, named_params};

/// What is known of a message without reading its document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub offset: i64,
    pub timestamp_ms: i64,
    pub expires_ms: i64,
    pub requires_ack: bool,
    pub broadcast: bool,
    pub settled: bool,
}

impl Head {
    /// Whether the message has disappeared by now.
    pub(super) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_ms <= now.as_millis()
    }
}

/// The message of this id, expired or not.
pub(super) fn head(connection: &Connection, namespace: i64, id: &MessageId) -> Outcome<Option<Head>> {
    let mut statement = connection.prepare_cached(include_str!("message_head.sql"))?;
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Head {
            offset: row.get(0)?,
            timestamp_ms: row.get(1)?,
            expires_ms: row.get(2)?,
            requires_ack: row.get(3)?,
            broadcast: row.get(4)?,
            settled: row.get(5)?,
        })
    };
    Ok(statement.query_row((namespace, id.as_str()), read).optional()?)
}

/// The message of this id, where it exists and has not expired.
pub(super) fn live(connection: &Connection, namespace: i64, id: &MessageId, now: Timestamp) -> Outcome<Option<Head>> {
    Ok(head(connection, namespace, id)?.filter(|head| !head.has_expired(now)))
}

/// A message to add, and the inboxes that it is put into.
pub(super) struct NewMessage<'a> {
    pub namespace: i64,
    pub append: &'a Append,
    pub settled: bool,
    pub inboxes: &'a [i64],
}

/// Adds a message at the end of the log. Its deliveries are added by the caller.
pub(super) fn insert(connection: &Connection, new: &NewMessage<'_>) -> Outcome<(Head, Epoch)> {
    let append = new.append;
    let (offset, epoch) = next_offset(connection, append.now)?;
    let broadcast = append.recipients == Recipients::Everyone;
    let recipients = if broadcast { "[]".to_owned() } else { json_array(new.inboxes) };
    connection.prepare_cached(include_str!("message_insert.sql"))?.execute(named_params! {
        ":offset": offset,
        ":namespace": new.namespace,
        ":id": append.id.as_str(),
        ":timestamp_ms": append.timestamp.as_millis(),
        ":expires_ms": append.expires_at.as_millis(),
        ":kind": append.kind.as_str(),
        ":sender": append.from.as_str(),
        ":thread": append.thread.as_ref().map(MessageId::as_str),
        ":subject_folded": append.subject_folded,
        ":requires_ack": append.requires_ack,
        ":broadcast": broadcast,
        ":settled": new.settled,
        ":recipients": recipients,
        ":delivered": new.inboxes.len(),
        ":document": &append.document[..],
    })?;
    let head = Head {
        offset,
        timestamp_ms: append.timestamp.as_millis(),
        expires_ms: append.expires_at.as_millis(),
        requires_ack: append.requires_ack,
        broadcast,
        settled: new.settled,
    };
    Ok((head, epoch))
}

/// Removes a message with its deliveries. The counters follow, and inboxes that lose it unread keep its offset.
pub(super) fn remove(connection: &Connection, offset: i64) -> Outcome<()> {
    connection.prepare_cached(include_str!("message_remove_named.sql"))?.execute([offset])?;
    let broadcast = "DELETE FROM deliveries WHERE broadcast = 1 AND offset = ?1";
    connection.prepare_cached(broadcast)?.execute([offset])?;
    connection.prepare_cached("DELETE FROM messages WHERE offset = ?1")?.execute([offset])?;
    Ok(())
}

/// The inboxes that a message was put into, with the topic of each.
pub(super) fn inboxes(connection: &Connection, offset: i64) -> Outcome<Vec<(i64, Topic)>> {
    let mut inboxes = Vec::new();
    for sql in [include_str!("message_inboxes_of_named.sql"), include_str!("message_inboxes_of_broadcast.sql")] {
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([offset])?;
        while let Some(row) = rows.next()? {
            let instance = names::parse_instance(row.get(1)?)?;
            inboxes.push((row.get(0)?, Topic::Mail(names::parse_namespace(row.get(2)?)?, instance)));
        }
    }
    Ok(inboxes)
}

/// The epoch of the log.
pub(super) fn epoch(connection: &Connection) -> Outcome<Epoch> {
    let mut statement = connection.prepare_cached("SELECT epoch FROM store")?;
    parse_epoch(statement.query_row([], |row| row.get(0))?)
}

fn next_offset(connection: &Connection, now: Timestamp) -> Outcome<(i64, Epoch)> {
    let now_us = now.as_millis().saturating_mul(1_000).min(i64::try_from(Offset::MAX.0).unwrap_or(i64::MAX));
    // Not RETURNING: it builds and drops a table in memory, which costs more than to read the row again.
    let sql = "UPDATE store SET last_offset = max(last_offset + 1, ?1)";
    if connection.prepare_cached(sql)?.execute([now_us])? != 1 {
        return Err(Error::inconsistent("the table store does not hold one row").into());
    }
    let mut statement = connection.prepare_cached("SELECT last_offset, epoch FROM store")?;
    let (offset, epoch) = statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok((offset, parse_epoch(epoch)?))
}

fn parse_epoch(text: String) -> Outcome<Epoch> {
    Epoch::parse(text).map_err(|broken| Error::inconsistent(broken.to_string()).into())
}

fn json_array(numbers: &[i64]) -> String {
    let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
    format!("[{}]", numbers.join(","))
}
