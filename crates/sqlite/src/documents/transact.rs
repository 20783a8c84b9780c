//! Several changes in one step.

use super::commit::{Commit, Entry};
use super::log::{self, Space};
use crate::errors::Outcome;
use crate::names;
use crate::wakeups::Wakes;
use mainstay_core::api::Timestamp;
use mainstay_core::api::documents::ChangeKind;
use mainstay_core::documents::{ChangeDocument, DocumentName, Transact, Transacted};
use mainstay_core::mail::RequestMemo;
use rusqlite::{Connection, OptionalExtension};

/// What is stored of a document.
#[derive(Default)]
struct Stored {
    /// Its revision, 0 where it is not there or its time is over.
    current: u64,
    /// Whether it is there, also where its time is over.
    live: bool,
}

/// See [`mainstay_core::documents::DocumentStore::transact`].
pub(super) fn transact(connection: &Connection, transact: &Transact, wakes: &mut Wakes) -> Outcome<Transacted> {
    let id = names::intern_namespace(connection, &transact.namespace)?;
    let space = log::space(connection, &transact.namespace)?;
    if let Some(memo) = &transact.memo
        && let Some(known) = remembered(connection, id, (memo, transact.now), &space)?
    {
        return Ok(known);
    }
    for guard in &transact.guards {
        let current = stored(connection, id, &guard.name, transact.now)?.current;
        if current != guard.revision {
            return Ok(Transacted::Conflict { name: guard.name.clone(), current });
        }
    }
    let (mut made, mut gone) = (0_u64, 0_u64);
    for change in &transact.changes {
        let Stored { current, live } = stored(connection, id, &change.name, transact.now)?;
        let must_be = change.write.is_none();
        if change.expected.is_some_and(|expected| expected != current) || (must_be && current == 0) {
            return Ok(Transacted::Conflict { name: change.name.clone(), current });
        }
        made += u64::from(!must_be && !live);
        gone += u64::from(must_be && live);
    }
    if made > gone && count(connection, id)? + made - gone > u64::from(transact.limits.max_documents) {
        return Ok(Transacted::Full);
    }
    let space = begun(connection, id, transact, space)?;
    let commit =
        Commit { namespace: &transact.namespace, id, by: &transact.by, now: transact.now, limits: transact.limits };
    let entries: Vec<_> = transact.changes.iter().map(entry_of).collect();
    let position = commit.write(connection, &space, &entries, wakes)?;
    if let Some(memo) = &transact.memo {
        let sql = "INSERT OR REPLACE INTO document_requests (namespace, key, fingerprint, revision, until_ms)
                   VALUES (?1, ?2, ?3, ?4, ?5)";
        let params = (id, &memo.key, &memo.fingerprint, position.offset.0, memo.until.as_millis());
        connection.prepare_cached(sql)?.execute(params)?;
    }
    Ok(Transacted::Committed(position))
}

fn entry_of(change: &ChangeDocument) -> Entry<'_> {
    let kind = if change.write.is_some() { ChangeKind::Put } else { ChangeKind::Deleted };
    Entry { name: &change.name, kind, write: change.write.as_ref(), diff: &change.diff }
}

fn remembered(
    connection: &Connection,
    namespace: i64,
    (memo, now): (&RequestMemo, Timestamp),
    space: &Space,
) -> Outcome<Option<Transacted>> {
    let sql = "SELECT fingerprint, revision FROM document_requests WHERE namespace = ?1 AND key = ?2 AND until_ms > ?3";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, u64>(1)?));
    let known = connection.prepare_cached(sql)?.query_row((namespace, &memo.key, now.as_millis()), read).optional()?;
    Ok(known.map(|(fingerprint, revision)| match fingerprint == memo.fingerprint {
        true => Transacted::Replayed(space.at(revision)),
        false => Transacted::MemoMismatch,
    }))
}

fn stored(connection: &Connection, namespace: i64, name: &DocumentName, now: Timestamp) -> Outcome<Stored> {
    let sql = "SELECT revision, expires_ms IS NULL OR expires_ms > ?4 FROM documents
               WHERE namespace = ?1 AND collection = ?2 AND key = ?3 AND live = 1";
    let params = (namespace, name.collection.as_str(), name.key.as_str(), now.as_millis());
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, u64>(0)?, row.get::<_, bool>(1)?));
    let found = connection.prepare_cached(sql)?.query_row(params, read).optional()?;
    Ok(found.map_or_else(Stored::default, |(revision, lasts)| Stored {
        current: if lasts { revision } else { 0 },
        live: true,
    }))
}

fn count(connection: &Connection, namespace: i64) -> Outcome<u64> {
    let sql = "SELECT count(*) FROM documents WHERE namespace = ?1 AND live = 1";
    Ok(connection.prepare_cached(sql)?.query_row([namespace], |row| row.get(0))?)
}

/// The life of the namespace; it begins with its first change.
fn begun(connection: &Connection, id: i64, transact: &Transact, space: Space) -> Outcome<Space> {
    if space.namespace.is_some() {
        return Ok(space);
    }
    let sql = "INSERT INTO document_spaces (namespace, epoch, head) VALUES (?1, ?2, 0)";
    connection.prepare_cached(sql)?.execute((id, transact.epoch.as_str()))?;
    log::space(connection, &transact.namespace)
}
