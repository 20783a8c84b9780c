//! The last known copy of the documents of a namespace.

use super::kept::KeptTransaction;
use crate::clock::next_revision;
use crate::documents::{
    ChangeDocument, ChangesQuery, ChangesRead, DocumentName, DocumentRow, DocumentsQuery, DocumentsRead,
    MAX_PAGE_BYTES, NewBody, StoredBody, Transact, Transacted,
};
use mainstay_api::documents::{ChangeKind, CollectionName, DocumentChange, DocumentKey};
use mainstay_api::{Offset, Position, RawJson, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The documents of a namespace as they were, with what waits in the journal applied.
#[derive(Debug, Clone)]
pub(super) struct Copy {
    /// The newest position that is in it.
    pub head: Position,
    /// When the store was last known to be as the copy says.
    pub fresh_at: Timestamp,
    rows: BTreeMap<DocumentName, DocumentRow>,
    /// What was written since the store was lost.
    changes: Vec<DocumentChange>,
    /// The position of the store when it was lost.
    base: u64,
}

/// A copy as it is kept on the disk.
#[derive(Serialize, Deserialize)]
struct Written {
    head: Position,
    rows: Vec<WrittenRow>,
}

#[derive(Serialize, Deserialize)]
struct WrittenRow {
    collection: CollectionName,
    key: DocumentKey,
    revision: u64,
    text: RawJson,
    seal_key: Option<String>,
    updated_at: Timestamp,
    updated_by: String,
    expires_at: Option<Timestamp>,
}

/// Under which revision something is written, when and by whom.
pub(super) struct Stamp<'a> {
    pub revision: u64,
    pub at: Timestamp,
    pub by: &'a str,
}

impl Stamp<'_> {
    /// What the document is from then on.
    pub fn row(&self, name: DocumentName, new: NewBody) -> DocumentRow {
        DocumentRow {
            name,
            revision: self.revision,
            body: new.body,
            updated_at: self.at,
            updated_by: self.by.to_owned(),
            expires_at: new.expires_at,
        }
    }
}

impl Copy {
    /// A copy of these documents.
    pub fn new(head: Position, rows: Vec<DocumentRow>, fresh_at: Timestamp) -> Self {
        let base = head.offset.0;
        let rows = rows.into_iter().map(|row| (row.name.clone(), row)).collect();
        Self { head, fresh_at, rows, changes: Vec::new(), base }
    }

    /// The copy as text.
    pub fn write(&self) -> serde_json::Result<String> {
        let rows = self.rows.values().map(|row| WrittenRow {
            collection: row.name.collection.clone(),
            key: row.name.key.clone(),
            revision: row.revision,
            text: row.body.text.clone(),
            seal_key: row.body.seal_key.clone(),
            updated_at: row.updated_at,
            updated_by: row.updated_by.clone(),
            expires_at: row.expires_at,
        });
        serde_json::to_string(&Written { head: self.head.clone(), rows: rows.collect() })
    }

    /// The copy that a text holds.
    pub fn read(text: &str, fresh_at: Timestamp) -> serde_json::Result<Self> {
        let written: Written = serde_json::from_str(text)?;
        let rows = written.rows.into_iter().map(|row| DocumentRow {
            name: DocumentName { collection: row.collection, key: row.key },
            revision: row.revision,
            body: StoredBody { text: row.text, seal_key: row.seal_key },
            updated_at: row.updated_at,
            updated_by: row.updated_by,
            expires_at: row.expires_at,
        });
        Ok(Self::new(written.head, rows.collect(), fresh_at))
    }

    /// Bytes of its texts.
    pub fn bytes(&self) -> usize {
        self.rows.values().map(|row| row.body.text.as_str().len()).sum()
    }

    /// How many documents are in it.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// A document; absent where it has ended.
    pub fn document(&self, name: &DocumentName, now: Timestamp) -> Option<DocumentRow> {
        self.rows.get(name).filter(|row| lives(row, now)).cloned()
    }

    /// Its documents.
    pub fn into_rows(self) -> Vec<DocumentRow> {
        self.rows.into_values().collect()
    }

    /// Takes over what a document is now.
    pub fn put(&mut self, name: DocumentName, row: Option<DocumentRow>) {
        match row {
            Some(row) => drop(self.rows.insert(name, row)),
            None => drop(self.rows.remove(&name)),
        }
    }

    /// A page of a collection.
    pub fn documents(&self, query: &DocumentsQuery) -> DocumentsRead {
        let mut rows: Vec<DocumentRow> = Vec::new();
        let (mut bytes, mut next) = (0, None);
        let in_order =
            self.rows.values().filter(|row| row.name.collection == query.collection && lives(row, query.now));
        let behind = |row: &&DocumentRow| {
            query.after.as_ref().is_none_or(|after| row.name.key.as_str().as_bytes() > after.as_str().as_bytes())
        };
        for row in in_order.filter(behind) {
            bytes += row.body.text.as_str().len();
            let full = rows.len() >= query.limit as usize || bytes > MAX_PAGE_BYTES;
            if let Some(last) = rows.last().filter(|_| full) {
                next = Some(last.name.key.clone());
                break;
            }
            rows.push(row.clone());
        }
        DocumentsRead { rows, next, head: self.head.clone() }
    }

    /// The collections that have documents.
    pub fn collections(&self) -> Vec<CollectionName> {
        let mut names: Vec<CollectionName> = self.rows.keys().map(|name| name.collection.clone()).collect();
        names.dedup();
        names
    }

    /// What was written since the store was lost; nobody knows what was before.
    pub fn changes(&self, query: &ChangesQuery) -> ChangesRead {
        let (head, after) = (self.head.clone(), query.after.offset.0);
        if query.after.epoch != head.epoch || after < self.base || after > head.offset.0 {
            return ChangesRead::Compacted { oldest: self.base, head };
        }
        let later = self.changes.iter().filter(|change| change.revision > after);
        let wanted = |change: &&DocumentChange| query.collection.as_ref().is_none_or(|name| *name == change.collection);
        ChangesRead::Page { changes: later.filter(wanted).cloned().collect(), position: head }
    }

    /// Why a transaction would not be taken, as far as the copy tells.
    pub fn refuses(&self, transact: &Transact) -> Option<Transacted> {
        let revision = |name: &DocumentName| self.document(name, transact.now).map_or(0, |row| row.revision);
        let guards = transact.guards.iter().map(|guard| (&guard.name, Some(guard.revision), false));
        let changes = transact.changes.iter().map(|change| (&change.name, change.expected, change.write.is_none()));
        for (name, expected, must_be) in guards.chain(changes) {
            let current = revision(name);
            if expected.is_some_and(|expected| expected != current) || must_be && current == 0 {
                return Some(Transacted::Conflict { name: name.clone(), current });
            }
        }
        let is_stored = |change: &&ChangeDocument| self.rows.contains_key(&change.name);
        let made = transact.changes.iter().filter(|change| change.write.is_some() && !is_stored(change)).count();
        let removed = transact.changes.iter().filter(|change| change.write.is_none() && is_stored(change)).count();
        let full = made > removed && self.rows.len() + made - removed > transact.limits.max_documents as usize;
        full.then_some(Transacted::Full)
    }

    /// The position that a transaction would have in the store, if nobody else wrote.
    pub fn next(&self, now: Timestamp) -> Position {
        let revision = next_revision(self.head.offset.0, now).min(Offset::MAX.0);
        Position { epoch: self.head.epoch.clone(), offset: Offset(revision) }
    }

    /// Applies a write that waits.
    pub fn apply(&mut self, kept: &KeptTransaction) {
        let transact = kept.transact();
        let stamp = Stamp { revision: kept.position.offset.0, at: transact.now, by: &transact.by };
        for change in transact.changes {
            self.changes.push(DocumentChange {
                revision: stamp.revision,
                collection: change.name.collection.clone(),
                key: change.name.key.clone(),
                kind: if change.write.is_some() { ChangeKind::Put } else { ChangeKind::Deleted },
                at: stamp.at,
                by: stamp.by.to_owned(),
            });
            let row = change.write.map(|new| stamp.row(change.name.clone(), new));
            self.put(change.name, row);
        }
        if kept.position.offset > self.head.offset {
            self.head.offset = kept.position.offset;
        }
    }
}

fn lives(row: &DocumentRow, now: Timestamp) -> bool {
    row.expires_at.is_none_or(|at| at > now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::DocumentLimits;
    use mainstay_api::{Epoch, Namespace};

    fn change(key: &str, is_put: bool) -> ChangeDocument {
        let name = DocumentName {
            collection: CollectionName::parse("settings").unwrap(),
            key: DocumentKey::parse(key).unwrap(),
        };
        let body = StoredBody { text: RawJson::parse("1").unwrap(), seal_key: None };
        let write = is_put.then_some(NewBody { body, expires_at: None });
        ChangeDocument { name, write, expected: None, diff: RawJson::parse("[]").unwrap() }
    }

    #[test]
    fn what_a_transaction_removes_makes_room_for_what_it_adds_as_in_a_store() {
        let (epoch, now) = (Epoch::parse("e").unwrap(), Timestamp::from_millis(1));
        let stamp = Stamp { revision: 1, at: now, by: "" };
        let rows = ["a", "b"].map(|key| change(key, true)).map(|put| stamp.row(put.name, put.write.unwrap()));
        let copy = Copy::new(Position { epoch: epoch.clone(), offset: Offset(1) }, rows.to_vec(), now);
        let limits = DocumentLimits { max_documents: 2, max_revisions: 9, max_history_bytes: 999, max_log: 9 };
        let refuses = |changes| {
            let (namespace, epoch, by) = (Namespace::parse("n").unwrap(), epoch.clone(), String::new());
            copy.refuses(&Transact { namespace, changes, guards: Vec::new(), memo: None, by, epoch, limits, now })
        };
        assert_eq!(refuses(vec![change("c", true)]), Some(Transacted::Full));
        assert_eq!(refuses(vec![change("a", false), change("c", true)]), None);
        assert_eq!(refuses(vec![change("a", true)]), None);
    }
}
