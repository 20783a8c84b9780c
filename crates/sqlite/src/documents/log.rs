//! Revisions of a namespace, and the log of what they changed.

use crate::errors::Outcome;
use crate::names;
use mainstay_core::Error;
use mainstay_core::api::documents::{ChangeKind, DocumentChange, beginning};
use mainstay_core::api::{Epoch, Namespace, Offset, Position, Timestamp};
use mainstay_core::documents::{ChangesQuery, ChangesRead};
use rusqlite::{Connection, OptionalExtension};

/// Where the revisions of a namespace stand.
pub(super) struct Space {
    /// The number of the namespace; absent where nothing was ever written.
    pub namespace: Option<i64>,
    epoch: Option<Epoch>,
    head: u64,
    horizon: u64,
}

impl Space {
    /// The newest position.
    pub(super) fn head(&self) -> Position {
        match &self.epoch {
            Some(epoch) => Position { epoch: epoch.clone(), offset: Offset(self.head) },
            None => beginning(),
        }
    }

    /// The position of a revision of this life.
    pub(super) fn at(&self, revision: u64) -> Position {
        Position { offset: Offset(revision), ..self.head() }
    }
}

/// Reads where the revisions of a namespace stand.
pub(super) fn space(connection: &Connection, namespace: &Namespace) -> Outcome<Space> {
    let nowhere = Space { namespace: None, epoch: None, head: 0, horizon: 0 };
    let Some(id) = names::namespace(connection, namespace)? else { return Ok(nowhere) };
    let sql = "SELECT epoch, head, horizon FROM document_spaces WHERE namespace = ?1";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?));
    let Some((epoch, head, horizon)) = connection.prepare_cached(sql)?.query_row([id], read).optional()? else {
        return Ok(nowhere);
    };
    let epoch = Epoch::parse(epoch).map_err(|broken| Error::inconsistent(format!("a stored {broken}")))?;
    Ok(Space { namespace: Some(id), epoch: Some(epoch), head, horizon })
}

/// See [`mainstay_core::documents::DocumentStore::changes`].
pub(super) fn changes(connection: &Connection, query: &ChangesQuery) -> Outcome<ChangesRead> {
    let space = space(connection, &query.namespace)?;
    let (after, head) = (&query.after, space.head());
    let of_this_life = after.epoch == head.epoch || *after == beginning();
    if !of_this_life || after.offset.0 < space.horizon || after.offset > head.offset {
        return Ok(ChangesRead::Compacted { oldest: space.horizon, head });
    }
    let Some(namespace) = space.namespace else { return Ok(ChangesRead::Page { changes: Vec::new(), position: head }) };
    let until = last_looked_at(connection, namespace, query)?.unwrap_or(space.head);
    let sql = "SELECT revision, collection, key, kind, at_ms, by FROM document_log
               WHERE namespace = ?1 AND revision > ?2 AND revision <= ?3 AND (?4 IS NULL OR collection = ?4)
               ORDER BY revision, number";
    let mut statement = connection.prepare_cached(sql)?;
    let collection = query.collection.as_ref().map(|name| name.as_str());
    let mut rows = statement.query((namespace, after.offset.0, until, collection))?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        let broken = |broken: String| Error::inconsistent(format!("a stored change of a document: {broken}"));
        changes.push(DocumentChange {
            revision: row.get(0)?,
            collection: row.get::<_, String>(1)?.parse().map_err(|e| broken(format!("{e}")))?,
            key: row.get::<_, String>(2)?.parse().map_err(|e| broken(format!("{e}")))?,
            kind: kind(&row.get::<_, String>(3)?)?,
            at: Timestamp::from_millis(row.get(4)?),
            by: row.get(5)?,
        });
    }
    Ok(ChangesRead::Page { changes, position: space.at(until) })
}

/// The revision of the last change that one call looks at; absent where it looks at all that there are.
fn last_looked_at(connection: &Connection, namespace: i64, query: &ChangesQuery) -> Outcome<Option<u64>> {
    let sql = "SELECT revision FROM document_log WHERE namespace = ?1 AND revision > ?2
               ORDER BY revision, number LIMIT 1 OFFSET ?3";
    let skipped = query.limit.max(1) - 1;
    let params = (namespace, query.after.offset.0, skipped);
    Ok(connection.prepare_cached(sql)?.query_row(params, |row| row.get(0)).optional()?)
}

/// What was done, as it is stored.
pub(super) fn kind(text: &str) -> Outcome<ChangeKind> {
    match text {
        "put" => Ok(ChangeKind::Put),
        "deleted" => Ok(ChangeKind::Deleted),
        "expired" => Ok(ChangeKind::Expired),
        other => Err(Error::inconsistent(format!("the kind of a change is {other:?}")).into()),
    }
}

/// What was done, to be stored.
pub(super) fn kind_text(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Put => "put",
        ChangeKind::Deleted => "deleted",
        ChangeKind::Expired => "expired",
    }
}
