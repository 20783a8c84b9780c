//! From answers of scripts to documents.

use super::unexpected;
use crate::connection::read;
use mainstay_core::api::documents::{ChangeKind, CollectionName, DocumentChange, beginning};
use mainstay_core::api::{Epoch, Namespace, Offset, Position, RawJson, Timestamp};
use mainstay_core::documents::{
    ChangesRead, DocumentName, DocumentRow, RevisionRow, SealedRevision, StoredBody, Transacted,
};
use mainstay_core::{Error, Result};
use redis::Value;
use std::str::FromStr;

/// The fields of one answer.
pub(super) type Row = Vec<Vec<u8>>;

/// A stored document that cannot be.
pub(super) fn broken(what: &str) -> Error {
    Error::inconsistent(format!("a stored document: {what}"))
}

fn text(row: &Row, at: usize) -> Result<&str> {
    let field = row.get(at).ok_or_else(|| broken("a field is missing"))?;
    std::str::from_utf8(field).map_err(|_| broken("a field is not UTF-8"))
}

fn number<T: FromStr>(row: &Row, at: usize) -> Result<T> {
    text(row, at)?.parse().map_err(|_| broken("a number is none"))
}

fn time(row: &Row, at: usize) -> Result<Timestamp> {
    number(row, at).map(Timestamp::from_millis)
}

fn json(row: &Row, at: usize) -> Result<RawJson> {
    RawJson::parse(text(row, at)?).map_err(|e| broken(&e.to_string()))
}

/// A text, and the key that something in it is sealed with.
fn body(row: &Row, at: usize) -> Result<StoredBody> {
    let seal_key = Some(text(row, at + 1)?.to_owned()).filter(|key| !key.is_empty());
    Ok(StoredBody { text: json(row, at)?, seal_key })
}

fn name(text: &str) -> Result<DocumentName> {
    let (collection, key) = text.split_once('/').ok_or_else(|| broken("a name has no collection"))?;
    Ok(DocumentName {
        collection: collection.parse().map_err(|e| broken(&format!("{e}")))?,
        key: key.parse().map_err(|e| broken(&format!("{e}")))?,
    })
}

fn kind(text: &str) -> Result<ChangeKind> {
    match text {
        "put" => Ok(ChangeKind::Put),
        "deleted" => Ok(ChangeKind::Deleted),
        "expired" => Ok(ChangeKind::Expired),
        _ => Err(broken("the kind of a change is none")),
    }
}

/// A position; the beginning where the namespace has no life yet.
pub(super) fn position(epoch: &str, revision: u64) -> Result<Position> {
    if epoch.is_empty() {
        return Ok(beginning());
    }
    let epoch = Epoch::parse(epoch).map_err(|e| broken(&e.to_string()))?;
    Ok(Position { epoch, offset: Offset(revision) })
}

pub(super) fn transacted(row: &Row) -> Result<Transacted> {
    match text(row, 0)? {
        "committed" => Ok(Transacted::Committed(position(text(row, 2)?, number(row, 1)?)?)),
        "replayed" => Ok(Transacted::Replayed(position(text(row, 2)?, number(row, 1)?)?)),
        "memo_mismatch" => Ok(Transacted::MemoMismatch),
        "conflict" => Ok(Transacted::Conflict { name: name(text(row, 2)?)?, current: number(row, 1)? }),
        "full" => Ok(Transacted::Full),
        _ => Err(unexpected(row, "documents/transact")),
    }
}

pub(super) fn document(row: &Row) -> Result<DocumentRow> {
    let ends = text(row, 6)?;
    Ok(DocumentRow {
        name: name(text(row, 0)?)?,
        revision: number(row, 1)?,
        body: body(row, 2)?,
        updated_at: time(row, 4)?,
        updated_by: text(row, 5)?.to_owned(),
        expires_at: if ends.is_empty() { None } else { Some(time(row, 6)?) },
    })
}

pub(super) fn revision(row: &Row) -> Result<RevisionRow> {
    Ok(RevisionRow {
        revision: number(row, 0)?,
        kind: kind(text(row, 1)?)?,
        body: if text(row, 2)?.is_empty() { None } else { Some(body(row, 2)?) },
        diff: json(row, 4)?,
        at: time(row, 5)?,
        by: text(row, 6)?.to_owned(),
    })
}

pub(super) fn sealed(row: &Row, namespace: &Namespace) -> Result<SealedRevision> {
    let name = name(text(row, 0)?)?;
    Ok(SealedRevision { namespace: namespace.clone(), name, revision: number(row, 1)?, body: body(row, 2)? })
}

pub(super) fn changes(value: Value, collection: Option<&CollectionName>, script: &str) -> Result<ChangesRead> {
    let Value::Array(parts) = &value else { return Err(unexpected(&value, script)) };
    let word: String = read(parts.first().cloned().unwrap_or(Value::Nil), script)?;
    if word == "compacted" {
        let (_, epoch, head, oldest): (String, String, u64, u64) = read(value, script)?;
        return Ok(ChangesRead::Compacted { oldest, head: position(&epoch, head)? });
    }
    let (_, epoch, until, rows): (String, String, u64, Vec<Row>) = read(value, script)?;
    let mut changes = Vec::new();
    for row in &rows {
        let DocumentName { collection: of, key } = name(text(row, 1)?)?;
        if collection.is_none_or(|wanted| *wanted == of) {
            let (revision, at, by) = (number(row, 0)?, time(row, 3)?, text(row, 4)?.to_owned());
            changes.push(DocumentChange { revision, collection: of, key, kind: kind(text(row, 2)?)?, at, by });
        }
    }
    Ok(ChangesRead::Page { changes, position: position(&epoch, until)? })
}
