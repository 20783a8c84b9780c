//! Writing changes under one revision, and keeping the bounds of what is remembered of them.

use super::log::{self, Space};
use crate::errors::Outcome;
use crate::wakeups::Wakes;
use mainstay_core::Topic;
use mainstay_core::api::documents::ChangeKind;
use mainstay_core::api::{Namespace, Position, RawJson, Timestamp};
use mainstay_core::clock::next_revision;
use mainstay_core::documents::{DocumentLimits, DocumentName, NewBody};
use rusqlite::{Connection, OptionalExtension, named_params};

/// A change to write.
pub(super) struct Entry<'a> {
    pub name: &'a DocumentName,
    pub kind: ChangeKind,
    pub write: Option<&'a NewBody>,
    pub diff: &'a RawJson,
}

/// What all changes of a revision share.
pub(super) struct Commit<'a> {
    pub namespace: &'a Namespace,
    pub id: i64,
    pub by: &'a str,
    pub now: Timestamp,
    pub limits: DocumentLimits,
}

impl Commit<'_> {
    /// Writes changes under the next revision, and wakes those who watch. Answers their position.
    pub(super) fn write(
        &self,
        connection: &Connection,
        space: &Space,
        entries: &[Entry<'_>],
        wakes: &mut Wakes,
    ) -> Outcome<Position> {
        let revision = next_revision(space.head().offset.0, self.now);
        for entry in entries {
            self.entry(connection, revision, entry)?;
        }
        let sql = "UPDATE document_spaces SET head = ?2 WHERE namespace = ?1";
        connection.prepare_cached(sql)?.execute((self.id, revision))?;
        self.trim_log(connection)?;
        self.forget_gone(connection)?;
        wakes.topic(Topic::Documents(self.namespace.clone()));
        Ok(space.at(revision))
    }

    fn entry(&self, connection: &Connection, revision: u64, entry: &Entry<'_>) -> Outcome<()> {
        let (collection, key) = (entry.name.collection.as_str(), entry.name.key.as_str());
        let (kind, now) = (log::kind_text(entry.kind), self.now.as_millis());
        let document: i64 = connection.prepare_cached(include_str!("commit_document.sql"))?.query_row(
            named_params! {
                ":namespace": self.id,
                ":collection": collection,
                ":key": key,
                ":revision": revision,
                ":live": entry.write.is_some(),
                ":expires_ms": entry.write.and_then(|new| new.expires_at).map(Timestamp::as_millis),
            },
            |row| row.get(0),
        )?;
        let body = entry.write.map(|new| new.body.text.as_str());
        let seal_key = entry.write.and_then(|new| new.body.seal_key.as_deref());
        let sql = "INSERT INTO document_revisions (document, revision, kind, body, seal_key, diff, at_ms, by)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let params = (document, revision, kind, body, seal_key, entry.diff.as_str(), now, self.by);
        connection.prepare_cached(sql)?.execute(params)?;
        let sql = "INSERT INTO document_log (namespace, revision, collection, key, kind, at_ms, by)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        connection.prepare_cached(sql)?.execute((self.id, revision, collection, key, kind, now, self.by))?;
        self.trim_history(connection, document)
    }

    /// Drops revisions of a document beyond its bounds, never the newest.
    fn trim_history(&self, connection: &Connection, document: i64) -> Outcome<()> {
        let limits = self.limits;
        let kept: Option<u64> = connection
            .prepare_cached(include_str!("commit_kept.sql"))?
            .query_row((document, limits.max_revisions, limits.max_history_bytes), |row| row.get(0))
            .optional()?
            .flatten();
        let Some(oldest) = kept else { return Ok(()) };
        let sql = "DELETE FROM document_revisions WHERE document = ?1 AND revision < ?2
                   AND revision < (SELECT revision FROM documents WHERE id = ?1)";
        connection.prepare_cached(sql)?.execute((document, oldest))?;
        Ok(())
    }

    fn trim_log(&self, connection: &Connection) -> Outcome<()> {
        let sql = "SELECT number, revision FROM document_log WHERE namespace = ?1
                   ORDER BY revision DESC, number DESC LIMIT 1 OFFSET ?2";
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, u64>(1)?));
        let last = connection.prepare_cached(sql)?.query_row((self.id, self.limits.max_log), read).optional()?;
        let Some((number, revision)) = last else { return Ok(()) };
        let sql = "DELETE FROM document_log WHERE namespace = ?1 AND number <= ?2";
        connection.prepare_cached(sql)?.execute((self.id, number))?;
        let sql = "UPDATE document_spaces SET horizon = ?2 WHERE namespace = ?1";
        connection.prepare_cached(sql)?.execute((self.id, revision))?;
        Ok(())
    }

    /// Drops the history of the documents that went first, where there are more of them than is kept.
    fn forget_gone(&self, connection: &Connection) -> Outcome<()> {
        let sql = "DELETE FROM documents WHERE id IN (
                     SELECT id FROM documents WHERE namespace = ?1 AND live = 0
                     ORDER BY revision DESC, collection || '/' || key DESC LIMIT -1 OFFSET ?2)";
        connection.prepare_cached(sql)?.execute((self.id, self.limits.max_documents))?;
        Ok(())
    }
}
