//! Importing a message with the state that it had elsewhere.

use super::append::{addressees, inboxes, make_room};
use super::delivery;
use super::message::{self, Head, NewMessage};
use crate::errors::Outcome;
use crate::names;
use crate::wakeups::Wakes;
use mainstay_core::api::mail::Imported;
use mainstay_core::mail::Merge;
use rusqlite::Connection;

/// See [`mainstay_core::mail::MailStore::merge`]. A dry run does everything and takes it back.
pub(super) fn merge(connection: &Connection, merge: &Merge, wakes: &mut Wakes) -> Outcome<Imported> {
    if merge.append.expires_at <= merge.append.now {
        return Ok(Imported::Unchanged);
    }
    if !merge.dry_run {
        return apply(connection, merge, wakes);
    }
    connection.execute_batch("SAVEPOINT dry_run")?;
    let outcome = apply(connection, merge, &mut Wakes::default());
    connection.execute_batch("ROLLBACK TO dry_run; RELEASE dry_run")?;
    outcome
}

fn apply(connection: &Connection, merge: &Merge, wakes: &mut Wakes) -> Outcome<Imported> {
    let namespace = names::intern_namespace(connection, &merge.append.namespace)?;
    match message::head(connection, namespace, &merge.append.id)? {
        None => create(connection, namespace, merge, wakes),
        Some(expired) if expired.has_expired(merge.append.now) => {
            message::remove(connection, expired.offset)?;
            create(connection, namespace, merge, wakes)
        }
        Some(existing) if holds(connection, &existing, merge)? => {
            update(connection, namespace, &existing, merge, wakes)
        }
        Some(_) => Ok(Imported::Conflict),
    }
}

fn create(connection: &Connection, namespace: i64, merge: &Merge, wakes: &mut Wakes) -> Outcome<Imported> {
    // Nothing is refused: where there is no room to be made, the namespace grows.
    make_room(connection, namespace, merge.append.limits.max_messages, wakes)?;
    let addressees = addressees(connection, namespace, &merge.append)?;
    let inboxes = inboxes(connection, namespace, &addressees)?;
    let new = NewMessage { namespace, append: &merge.append, settled: merge.settled, inboxes: &inboxes };
    let (message, _) = message::insert(connection, &new)?;
    for inbox in &inboxes {
        delivery::insert(connection, *inbox, &message)?;
    }
    add_receipts(connection, namespace, &message, merge)?;
    settle_inboxes(connection, &message, merge, wakes)?;
    Ok(Imported::Created)
}

fn update(
    connection: &Connection,
    namespace: i64,
    existing: &Head,
    merge: &Merge,
    wakes: &mut Wakes,
) -> Outcome<Imported> {
    let settles = merge.settled && !existing.settled;
    if settles {
        settle(connection, existing)?;
    }
    let message = Head { settled: existing.settled || merge.settled, ..*existing };
    let added = add_receipts(connection, namespace, &message, merge)?;
    if !settles && !added {
        return Ok(Imported::Unchanged);
    }
    settle_inboxes(connection, &message, merge, wakes)?;
    Ok(Imported::Updated)
}

/// Adds the receipts that the message lacks. Returns whether it lacked any.
fn add_receipts(connection: &Connection, namespace: i64, message: &Head, merge: &Merge) -> Outcome<bool> {
    let mut added = false;
    for receipt in &merge.receipts {
        let known = names::inbox(connection, namespace, &receipt.recipient)?;
        let inbox = match known {
            Some(row) => row.id,
            None if message.broadcast => names::new_inbox(connection, namespace, &receipt.recipient)?.id,
            None => continue,
        };
        if message.broadcast && delivery::standing(connection, inbox, message.offset)?.is_none() {
            delivery::insert(connection, inbox, message)?;
            delivery::count_delivered(connection, message.offset)?;
            added = true;
        }
        added |= delivery::add_receipt(connection, inbox, message.offset, receipt)?;
    }
    Ok(added)
}

/// Brings the inboxes of a message within their bounds, and wakes their readers.
fn settle_inboxes(connection: &Connection, message: &Head, merge: &Merge, wakes: &mut Wakes) -> Outcome<()> {
    for (inbox, topic) in message::inboxes(connection, message.offset)? {
        delivery::trim(connection, inbox, merge.append.limits.max_inbox)?;
        wakes.topic(topic);
    }
    Ok(())
}

/// Has nobody wait for an acknowledgement any more.
fn settle(connection: &Connection, message: &Head) -> Outcome<()> {
    connection.prepare_cached("UPDATE messages SET settled = 1 WHERE offset = ?1")?.execute([message.offset])?;
    let sql = if message.broadcast {
        include_str!("merge_settle_broadcast.sql")
    } else {
        include_str!("merge_settle_named.sql")
    };
    connection.prepare_cached(sql)?.execute([message.offset])?;
    Ok(())
}

fn holds(connection: &Connection, existing: &Head, merge: &Merge) -> Outcome<bool> {
    let sql = "SELECT document = ?2 FROM messages WHERE offset = ?1";
    let document = &merge.append.document[..];
    Ok(connection.prepare_cached(sql)?.query_row((existing.offset, document), |row| row.get(0))?)
}
