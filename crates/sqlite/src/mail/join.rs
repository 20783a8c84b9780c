//! Becoming a member of a namespace.

use super::delivery;
use super::message::Head;
use crate::errors::Outcome;
use crate::names;
use crate::wakeups::Wakes;
use mainstay_core::Topic;
use mainstay_core::api::{InstanceId, Namespace, Timestamp};
use mainstay_core::mail::MAX_BROADCASTS_ON_JOIN;
use rusqlite::{Connection, named_params};

/// How exactly it is known when a member was last seen, in milliseconds. Members are forgotten after weeks; a write
/// for each of their reads would cost each of them a sync.
const SEEN_PRECISION_MS: i64 = 60_000;

/// Who joins what.
#[derive(Clone)]
pub(super) struct Join {
    pub namespace: Namespace,
    pub instance: InstanceId,
    pub now: Timestamp,
}

/// Whether the instance is a member and was seen just now, so that nothing needs to be written.
pub(super) fn is_recent_member(connection: &Connection, join: &Join) -> Outcome<bool> {
    let Some(namespace) = names::namespace(connection, &join.namespace)? else { return Ok(false) };
    let inbox = names::inbox(connection, namespace, &join.instance)?;
    Ok(inbox.is_some_and(|row| row.member && join.now.as_millis() - row.seen_ms < SEEN_PRECISION_MS))
}

/// See [`mainstay_core::mail::MailStore::join`].
pub(super) fn join(connection: &Connection, join: &Join, wakes: &mut Wakes) -> Outcome<bool> {
    let namespace = names::intern_namespace(connection, &join.namespace)?;
    let inbox = names::intern_inbox(connection, namespace, &join.instance)?;
    let sql = "UPDATE inboxes SET member = 1, seen_ms = max(seen_ms, ?2) WHERE id = ?1";
    connection.prepare_cached(sql)?.execute((inbox.id, join.now.as_millis()))?;
    if inbox.member {
        return Ok(false);
    }
    for message in missed(connection, namespace, inbox.id, join)? {
        delivery::insert(connection, inbox.id, &message)?;
        delivery::count_delivered(connection, message.offset)?;
    }
    wakes.topic(Topic::Mail(join.namespace.clone(), join.instance.clone()));
    Ok(true)
}

/// The newest broadcasts that the inbox has not received.
fn missed(connection: &Connection, namespace: i64, inbox: i64, join: &Join) -> Outcome<Vec<Head>> {
    let mut statement = connection.prepare_cached(include_str!("join_missed.sql"))?;
    let parameters = named_params! {
        ":namespace": namespace,
        ":inbox": inbox,
        ":sender": join.instance.as_str(),
        ":now_ms": join.now.as_millis(),
        ":limit": MAX_BROADCASTS_ON_JOIN,
    };
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Head {
            offset: row.get(0)?,
            timestamp_ms: row.get(1)?,
            expires_ms: row.get(2)?,
            requires_ack: row.get(3)?,
            broadcast: true,
            settled: row.get(4)?,
        })
    };
    Ok(statement.query_map(parameters, read)?.collect::<Result<_, _>>()?)
}
