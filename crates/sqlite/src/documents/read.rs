//! Reading documents and their history.

use super::log;
use crate::errors::Outcome;
use crate::names;
use mainstay_core::Error;
use mainstay_core::api::documents::CollectionName;
use mainstay_core::api::{Namespace, RawJson, Timestamp};
use mainstay_core::documents::{
    DocumentName, DocumentRow, DocumentsQuery, DocumentsRead, HistoryQuery, MAX_PAGE_BYTES, RevisionRow, StoredBody,
};
use rusqlite::{Connection, Row};

/// See [`mainstay_core::documents::DocumentStore::document`].
pub(super) fn document(
    connection: &Connection,
    namespace: &Namespace,
    name: &DocumentName,
    now: Timestamp,
) -> Outcome<Option<DocumentRow>> {
    let Some(namespace) = names::namespace(connection, namespace)? else { return Ok(None) };
    let mut statement = connection.prepare_cached(include_str!("read_document.sql"))?;
    let mut rows = statement.query((namespace, name.collection.as_str(), name.key.as_str(), now.as_millis()))?;
    rows.next()?.map(row).transpose()
}

/// See [`mainstay_core::documents::DocumentStore::documents`].
pub(super) fn documents(connection: &Connection, query: &DocumentsQuery) -> Outcome<DocumentsRead> {
    let space = log::space(connection, &query.namespace)?;
    let head = space.head();
    let (mut found, mut bytes, mut next) = (Vec::<DocumentRow>::new(), 0, None);
    let Some(namespace) = space.namespace else { return Ok(DocumentsRead { rows: found, next, head }) };
    let mut statement = connection.prepare_cached(include_str!("read_documents.sql"))?;
    let after = query.after.as_ref().map_or("", |key| key.as_str());
    let most = query.limit.saturating_add(1);
    let mut rows = statement.query((namespace, query.collection.as_str(), after, query.now.as_millis(), most))?;
    while let Some(next_row) = rows.next()? {
        let document = row(next_row)?;
        bytes += document.body.text.as_str().len();
        if found.len() >= query.limit as usize || (!found.is_empty() && bytes > MAX_PAGE_BYTES) {
            next = found.last().map(|row| row.name.key.clone());
            break;
        }
        found.push(document);
    }
    Ok(DocumentsRead { rows: found, next, head })
}

/// See [`mainstay_core::documents::DocumentStore::collections`].
pub(super) fn collections(connection: &Connection, namespace: &Namespace) -> Outcome<Vec<CollectionName>> {
    let Some(namespace) = names::namespace(connection, namespace)? else { return Ok(Vec::new()) };
    let sql = "SELECT DISTINCT collection FROM documents WHERE namespace = ?1 AND live = 1 ORDER BY collection";
    let mut statement = connection.prepare_cached(sql)?;
    let names =
        statement.query_map([namespace], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    let parsed = names.into_iter().map(|name| name.parse().map_err(|e| broken(&format!("{e}"))));
    Ok(parsed.collect::<Result<_, Error>>()?)
}

/// See [`mainstay_core::documents::DocumentStore::history`].
pub(super) fn history(connection: &Connection, query: &HistoryQuery) -> Outcome<Vec<RevisionRow>> {
    let Some(namespace) = names::namespace(connection, &query.namespace)? else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached(include_str!("read_history.sql"))?;
    let (collection, key) = (query.name.collection.as_str(), query.name.key.as_str());
    let before = query.before.map_or(i64::MAX, |before| i64::try_from(before).unwrap_or(i64::MAX));
    let mut rows = statement.query((namespace, collection, key, before, query.limit))?;
    let (mut found, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let text: Option<String> = row.get(2)?;
        bytes += text.as_ref().map_or(0, String::len);
        if !found.is_empty() && bytes > MAX_PAGE_BYTES {
            break;
        }
        let seal_key = row.get(3)?;
        found.push(RevisionRow {
            revision: row.get(0)?,
            kind: log::kind(&row.get::<_, String>(1)?)?,
            body: text.map(|text| Ok::<_, Error>(StoredBody { text: json(&text)?, seal_key })).transpose()?,
            diff: json(&row.get::<_, String>(4)?)?,
            at: Timestamp::from_millis(row.get(5)?),
            by: row.get(6)?,
        });
    }
    Ok(found)
}

/// A document, from the columns collection, key, revision, body, seal key, time, author and end.
fn row(row: &Row<'_>) -> Outcome<DocumentRow> {
    let name = DocumentName {
        collection: row.get::<_, String>(0)?.parse().map_err(|e| broken(&format!("{e}")))?,
        key: row.get::<_, String>(1)?.parse().map_err(|e| broken(&format!("{e}")))?,
    };
    Ok(DocumentRow {
        name,
        revision: row.get(2)?,
        body: StoredBody { text: json(&row.get::<_, String>(3)?)?, seal_key: row.get(4)? },
        updated_at: Timestamp::from_millis(row.get(5)?),
        updated_by: row.get(6)?,
        expires_at: row.get::<_, Option<i64>>(7)?.map(Timestamp::from_millis),
    })
}

/// A stored text.
pub(super) fn json(text: &str) -> Result<RawJson, Error> {
    RawJson::parse(text).map_err(|e| broken(&e.to_string()))
}

/// A stored document that cannot be.
pub(super) fn broken(what: &str) -> Error {
    Error::inconsistent(format!("a stored document: {what}"))
}
