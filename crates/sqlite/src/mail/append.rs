//! Storing a message.

use super::message::{self, NewMessage};
use super::{delivery, purge};
use crate::errors::Outcome;
use crate::names::{self, InboxRow};
use crate::wakeups::Wakes;
use mainstay_core::api::{InstanceId, MessageId, Offset, Timestamp};
use mainstay_core::mail::{Append, Appended, Recipients, RequestMemo};
use mainstay_core::{Error, Topic};
use rusqlite::{Connection, OptionalExtension, named_params};

/// Most messages that are deleted to make room for one.
const MAX_EVICTED: u32 = 256;

/// Most expired messages that an append deletes: more than it adds, so that a file which no server maintains stays
/// bounded, and few enough not to be felt.
const MAX_PURGED: u32 = 4;

/// See [`mainstay_core::mail::MailStore::append`].
pub(super) fn append(connection: &Connection, append: &Append, wakes: &mut Wakes) -> Outcome<Appended> {
    let namespace = names::intern_namespace(connection, &append.namespace)?;
    if let Some(memo) = &append.memo
        && let Some(earlier) = remembered(connection, namespace, memo, append.now)?
    {
        return Ok(earlier);
    }
    if !free_id(connection, namespace, append)? {
        return Ok(Appended::DuplicateId);
    }
    let addressees = addressees(connection, namespace, append)?;
    if append.requires_ack
        && let Some(full) = full_inbox(connection, &addressees, append, wakes)?
    {
        return Ok(Appended::InboxFull(full));
    }
    purge::expired(connection, append.now, MAX_PURGED, wakes)?;
    if !make_room(connection, namespace, append.limits.max_messages, wakes)? {
        return Ok(Appended::NamespaceFull);
    }
    let inboxes = inboxes(connection, namespace, &addressees)?;
    let new = NewMessage { namespace, append, settled: false, inboxes: &inboxes };
    let (message, epoch) = message::insert(connection, &new)?;
    for (inbox, addressee) in inboxes.iter().zip(&addressees) {
        delivery::insert(connection, *inbox, &message)?;
        if addressee.row.map_or(0, |row| row.total) >= u64::from(append.limits.max_inbox) {
            delivery::trim(connection, *inbox, append.limits.max_inbox)?;
        }
        wakes.topic(Topic::Mail(append.namespace.clone(), addressee.instance.clone()));
    }
    if let Some(memo) = &append.memo {
        remember(connection, namespace, memo, &append.id)?;
    }
    Ok(Appended::Stored {
        offset: offset_of(message.offset)?,
        epoch,
        delivered: u32::try_from(inboxes.len()).unwrap_or(u32::MAX),
    })
}

/// Who receives a message, with the inbox where there is one.
pub(super) struct Addressee {
    pub instance: InstanceId,
    pub row: Option<InboxRow>,
}

/// Whom a message reaches, in order.
pub(super) fn addressees(connection: &Connection, namespace: i64, append: &Append) -> Outcome<Vec<Addressee>> {
    match &append.recipients {
        Recipients::Named(named) => {
            let find = |instance: &InstanceId| {
                let row = names::inbox(connection, namespace, instance)?;
                Ok(Addressee { instance: instance.clone(), row })
            };
            named.iter().map(find).collect()
        }
        Recipients::Everyone => members_but(connection, namespace, &append.from),
    }
}

/// The inboxes of addressees; new ones where they have none.
pub(super) fn inboxes(connection: &Connection, namespace: i64, addressees: &[Addressee]) -> Outcome<Vec<i64>> {
    let number = |addressee: &Addressee| match addressee.row {
        Some(row) => Ok(row.id),
        None => Ok(names::new_inbox(connection, namespace, &addressee.instance)?.id),
    };
    addressees.iter().map(number).collect()
}

/// The first inbox that holds as many pending messages as it may. What has expired in it is deleted first,
/// and stays deleted where the message is refused.
fn full_inbox(
    connection: &Connection,
    addressees: &[Addressee],
    append: &Append,
    wakes: &mut Wakes,
) -> Outcome<Option<InstanceId>> {
    let max_pending = u64::from(append.limits.max_pending);
    for addressee in addressees {
        let Some(row) = addressee.row.filter(|row| row.pending >= max_pending) else { continue };
        purge::expired_pending(connection, row.id, append.now, wakes)?;
        if names::pending(connection, row.id)? >= max_pending {
            return Ok(Some(addressee.instance.clone()));
        }
    }
    Ok(None)
}

/// Frees the id where it belongs to a message that has expired. Returns whether the id is free.
pub(super) fn free_id(connection: &Connection, namespace: i64, append: &Append) -> Outcome<bool> {
    let Some(existing) = message::head(connection, namespace, &append.id)? else { return Ok(true) };
    if !existing.has_expired(append.now) {
        return Ok(false);
    }
    message::remove(connection, existing.offset)?;
    Ok(true)
}

/// Deletes the oldest messages that wait for nothing, so that the namespace may take one more. Returns `false` where
/// there is no such message. One is enough: above its bound already, the namespace does not grow.
pub(super) fn make_room(
    connection: &Connection,
    namespace: i64,
    max_messages: u32,
    wakes: &mut Wakes,
) -> Outcome<bool> {
    let excess = excess(connection, namespace, max_messages)?;
    let offsets = droppable(connection, namespace, excess)?;
    purge::remove_all(connection, &offsets, wakes)?;
    Ok(excess == 0 || !offsets.is_empty())
}

/// How many messages have to go for one more, as far as one append deletes them.
fn excess(connection: &Connection, namespace: i64, max_messages: u32) -> Outcome<u64> {
    let sql = "SELECT messages FROM namespaces WHERE id = ?1";
    let messages: u64 = connection.prepare_cached(sql)?.query_row([namespace], |row| row.get(0))?;
    Ok((messages + 1).saturating_sub(u64::from(max_messages)).min(u64::from(MAX_EVICTED)))
}

/// The oldest messages that wait for nothing, however many wait before them.
fn droppable(connection: &Connection, namespace: i64, at_most: u64) -> Outcome<Vec<i64>> {
    if at_most == 0 {
        return Ok(Vec::new());
    }
    let sql = "SELECT offset FROM messages WHERE namespace = ?1 AND waiting = 0 ORDER BY offset LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_map((namespace, at_most), |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// An offset as the ports know it.
pub(super) fn offset_of(offset: i64) -> Outcome<Offset> {
    u64::try_from(offset).map(Offset).map_err(|_| Error::inconsistent("a message has a negative offset").into())
}

fn members_but(connection: &Connection, namespace: i64, sender: &InstanceId) -> Outcome<Vec<Addressee>> {
    let mut statement = connection.prepare_cached(include_str!("append_members.sql"))?;
    let mut rows = statement.query((namespace, sender.as_str()))?;
    let mut members = Vec::new();
    while let Some(row) = rows.next()? {
        let instance = names::parse_instance(row.get(0)?)?;
        let (id, seen_ms, total, pending) = (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
        members.push(Addressee { instance, row: Some(InboxRow { id, member: true, seen_ms, total, pending }) });
    }
    Ok(members)
}

/// What an earlier append with the same request id came to.
pub(super) fn remembered(
    connection: &Connection,
    namespace: i64,
    memo: &RequestMemo,
    now: Timestamp,
) -> Outcome<Option<Appended>> {
    let sql = "SELECT fingerprint, message FROM requests WHERE namespace = ?1 AND key = ?2 AND until_ms > ?3";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row((namespace, &memo.key, now.as_millis()), read).optional()?;
    let Some((fingerprint, id)) = found else { return Ok(None) };
    if fingerprint != memo.fingerprint {
        return Ok(Some(Appended::MemoMismatch));
    }
    let id = MessageId::parse(id).map_err(|broken| Error::inconsistent(broken.to_string()))?;
    Ok(Some(Appended::Replayed(id)))
}

fn remember(connection: &Connection, namespace: i64, memo: &RequestMemo, id: &MessageId) -> Outcome<()> {
    connection.prepare_cached(include_str!("append_remember.sql"))?.execute(named_params! {
        ":namespace": namespace,
        ":key": memo.key,
        ":fingerprint": memo.fingerprint,
        ":message": id.as_str(),
        ":until_ms": memo.until.as_millis(),
    })?;
    Ok(())
}
