//! What texts are sealed with.

use super::read::{broken, json};
use crate::errors::Outcome;
use crate::names;
use mainstay_core::documents::{DocumentName, SealedRevision, StoredBody};
use rusqlite::Connection;

/// See [`mainstay_core::documents::DocumentStore::seal_keys`].
pub(super) fn seal_keys(connection: &Connection) -> Outcome<Vec<String>> {
    let sql = "SELECT DISTINCT seal_key FROM document_revisions WHERE seal_key IS NOT NULL ORDER BY seal_key";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// See [`mainstay_core::documents::DocumentStore::sealed_otherwise`].
pub(super) fn sealed_otherwise(connection: &Connection, key: &str, limit: u32) -> Outcome<Vec<SealedRevision>> {
    let mut statement = connection.prepare_cached(include_str!("sealing_otherwise.sql"))?;
    let mut rows = statement.query((key, limit))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let name = DocumentName {
            collection: row.get::<_, String>(1)?.parse().map_err(|e| broken(&format!("{e}")))?,
            key: row.get::<_, String>(2)?.parse().map_err(|e| broken(&format!("{e}")))?,
        };
        found.push(SealedRevision {
            namespace: names::parse_namespace(row.get(0)?)?,
            name,
            revision: row.get(3)?,
            body: StoredBody { text: json(&row.get::<_, String>(4)?)?, seal_key: row.get(5)? },
        });
    }
    Ok(found)
}

/// See [`mainstay_core::documents::DocumentStore::reseal`].
pub(super) fn reseal(connection: &Connection, revision: &SealedRevision, before: &str) -> Outcome<bool> {
    let Some(namespace) = names::namespace(connection, &revision.namespace)? else { return Ok(false) };
    let sql = "UPDATE document_revisions SET body = ?5, seal_key = ?6
               WHERE revision = ?4 AND seal_key = ?7 AND document =
                 (SELECT id FROM documents WHERE namespace = ?1 AND collection = ?2 AND key = ?3)";
    let changed = connection.prepare_cached(sql)?.execute((
        namespace,
        revision.name.collection.as_str(),
        revision.name.key.as_str(),
        revision.revision,
        revision.body.text.as_str(),
        &revision.body.seal_key,
        before,
    ))?;
    Ok(changed > 0)
}
