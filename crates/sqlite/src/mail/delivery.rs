//! One message in one inbox. The counters of the inbox follow by themselves; those of the message are kept here.

use super::message::Head;
use crate::errors::Outcome;
use crate::names;
use mainstay_core::api::mail::{Ack, Receipt};
use mainstay_core::api::{InstanceId, Timestamp};
use rusqlite::{Connection, OptionalExtension, named_params};

/// Most deliveries that leave an inbox in one step: more leave with the next.
const MAX_TRIM: u64 = 1_024;

/// A delivery as it stands.
pub(super) struct Standing {
    pub unread: bool,
    pub is_read: bool,
    pub is_acked: bool,
}

/// The delivery of a message to an inbox, where there is one.
pub(super) fn standing(connection: &Connection, inbox: i64, offset: i64) -> Outcome<Option<Standing>> {
    let sql = "SELECT unread, read_ms IS NOT NULL, ack_ms IS NOT NULL FROM deliveries WHERE inbox = ?1 AND offset = ?2";
    let read =
        |row: &rusqlite::Row<'_>| Ok(Standing { unread: row.get(0)?, is_read: row.get(1)?, is_acked: row.get(2)? });
    Ok(connection.prepare_cached(sql)?.query_row((inbox, offset), read).optional()?)
}

/// Puts a message into an inbox where it never was. The message's own count of deliveries is kept by the caller, who
/// knows of all of them.
pub(super) fn insert(connection: &Connection, inbox: i64, message: &Head) -> Outcome<()> {
    connection.prepare_cached(include_str!("delivery_insert.sql"))?.execute(named_params! {
        ":inbox": inbox,
        ":offset": message.offset,
        ":timestamp_ms": message.timestamp_ms,
        ":broadcast": message.broadcast,
        ":unread": !message.settled,
        ":pending": message.requires_ack && !message.settled,
    })?;
    Ok(())
}

/// Counts deliveries that a stored message got afterwards.
pub(super) fn count_delivered(connection: &Connection, offset: i64) -> Outcome<()> {
    let sql = "UPDATE messages SET delivered = delivered + 1 WHERE offset = ?1";
    connection.prepare_cached(sql)?.execute([offset])?;
    Ok(())
}

/// Marks a delivery that was not read as read.
pub(super) fn mark_read(connection: &Connection, inbox: i64, offset: i64, at: Timestamp) -> Outcome<()> {
    let sql = "UPDATE deliveries SET read_ms = ?3, unread = 0 WHERE inbox = ?1 AND offset = ?2";
    connection.prepare_cached(sql)?.execute((inbox, offset, at.as_millis()))?;
    connection.prepare_cached("UPDATE messages SET read = read + 1 WHERE offset = ?1")?.execute([offset])?;
    Ok(())
}

/// Records the acknowledgement of a delivery that had none.
pub(super) fn acknowledge(connection: &Connection, inbox: i64, offset: i64, ack: &Ack) -> Outcome<()> {
    connection.prepare_cached(include_str!("delivery_acknowledge.sql"))?.execute(named_params! {
        ":inbox": inbox,
        ":offset": offset,
        ":at": ack.at.as_millis(),
        ":by": ack.by.as_str(),
        ":comment": ack.comment,
    })?;
    connection.prepare_cached("UPDATE messages SET acked = acked + 1 WHERE offset = ?1")?.execute([offset])?;
    Ok(())
}

/// Adds to a delivery what a receipt of elsewhere has and it lacks: what is acknowledged was read. Returns whether it
/// lacked anything.
pub(super) fn add_receipt(connection: &Connection, inbox: i64, offset: i64, receipt: &Receipt) -> Outcome<bool> {
    let Some(standing) = standing(connection, inbox, offset)? else { return Ok(false) };
    let read_at = receipt.read_at.or(receipt.ack.as_ref().map(|ack| ack.at)).filter(|_| !standing.is_read);
    let ack = receipt.ack.as_ref().filter(|_| !standing.is_acked);
    if let Some(at) = read_at {
        mark_read(connection, inbox, offset, at)?;
    }
    if let Some(ack) = ack {
        acknowledge(connection, inbox, offset, ack)?;
    }
    Ok(read_at.is_some() || ack.is_some())
}

/// Has the oldest deliveries that wait for nothing leave an inbox that holds more than it may.
pub(super) fn trim(connection: &Connection, inbox: i64, max_inbox: u32) -> Outcome<()> {
    let total: u64 =
        connection.prepare_cached("SELECT total FROM inboxes WHERE id = ?1")?.query_row([inbox], |row| row.get(0))?;
    let excess = total.saturating_sub(u64::from(max_inbox)).min(MAX_TRIM);
    if excess > 0 {
        connection.prepare_cached(include_str!("delivery_trim.sql"))?.execute((inbox, excess))?;
    }
    Ok(())
}

/// The receipt of one inbox.
pub(super) fn receipt(
    connection: &Connection,
    inbox: i64,
    recipient: &InstanceId,
    offset: i64,
) -> Outcome<Option<Receipt>> {
    let mut statement = connection.prepare_cached(include_str!("delivery_receipt.sql"))?;
    let mut rows = statement.query((inbox, offset))?;
    let Some(row) = rows.next()? else { return Ok(None) };
    receipt_of(row, recipient.clone()).map(Some)
}

/// Every receipt of a message, by recipient.
pub(super) fn receipts(connection: &Connection, offset: i64, broadcast: bool) -> Outcome<Vec<Receipt>> {
    let sql = if broadcast {
        include_str!("delivery_receipts_of_broadcast.sql")
    } else {
        include_str!("delivery_receipts_of_named.sql")
    };
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([offset])?;
    let mut receipts = Vec::new();
    while let Some(row) = rows.next()? {
        receipts.push(receipt_of(row, names::parse_instance(row.get(4)?)?)?);
    }
    Ok(receipts)
}

fn receipt_of(row: &rusqlite::Row<'_>, recipient: InstanceId) -> Outcome<Receipt> {
    let read_ms: Option<i64> = row.get(0)?;
    let ack_ms: Option<i64> = row.get(1)?;
    let ack = match ack_ms {
        Some(at) => {
            Some(Ack { by: names::parse_instance(row.get(2)?)?, at: Timestamp::from_millis(at), comment: row.get(3)? })
        }
        None => None,
    };
    Ok(Receipt { recipient, read_at: read_ms.map(Timestamp::from_millis), ack })
}
