//! A transaction as it waits in the journal.

use crate::documents::{ChangeDocument, DocumentLimits, DocumentName, Guard, NewBody, StoredBody, Transact};
use crate::mail::RequestMemo;
use mainstay_api::documents::{CollectionName, DocumentKey};
use mainstay_api::{Epoch, Namespace, Position, RawJson, Timestamp};
use serde::{Deserialize, Serialize};

/// A transaction that waits.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct KeptTransaction {
    pub namespace: Namespace,
    changes: Vec<KeptChange>,
    guards: Vec<KeptGuard>,
    pub memo: KeptMemo,
    pub by: String,
    epoch: Epoch,
    max_documents: u32,
    max_revisions: u32,
    max_history_bytes: u64,
    max_log: u32,
    now: Timestamp,
    /// The position that it was given, which is that of the store where nobody else wrote meanwhile.
    pub position: Position,
    /// Whether the store may have taken it before it was lost.
    pub in_doubt: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct KeptMemo {
    pub key: String,
    pub fingerprint: String,
    pub until: Timestamp,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct KeptChange {
    collection: CollectionName,
    key: DocumentKey,
    write: Option<KeptBody>,
    expected: Option<u64>,
    diff: RawJson,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct KeptBody {
    text: RawJson,
    seal_key: Option<String>,
    expires_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct KeptGuard {
    collection: CollectionName,
    key: DocumentKey,
    revision: u64,
}

impl KeptTransaction {
    /// A transaction that is to wait. It has a memo, by which the store recognises it.
    pub fn of(transact: Transact, memo: RequestMemo, position: Position, in_doubt: bool) -> Self {
        let changes = transact.changes.into_iter().map(|change| KeptChange {
            collection: change.name.collection,
            key: change.name.key,
            write: change.write.map(|new| KeptBody {
                text: new.body.text,
                seal_key: new.body.seal_key,
                expires_at: new.expires_at,
            }),
            expected: change.expected,
            diff: change.diff,
        });
        let guards = transact.guards.into_iter().map(|guard| KeptGuard {
            collection: guard.name.collection,
            key: guard.name.key,
            revision: guard.revision,
        });
        Self {
            namespace: transact.namespace,
            changes: changes.collect(),
            guards: guards.collect(),
            memo: KeptMemo { key: memo.key, fingerprint: memo.fingerprint, until: memo.until },
            by: transact.by,
            epoch: transact.epoch,
            max_documents: transact.limits.max_documents,
            max_revisions: transact.limits.max_revisions,
            max_history_bytes: transact.limits.max_history_bytes,
            max_log: transact.limits.max_log,
            now: transact.now,
            position,
            in_doubt,
        }
    }

    /// The transaction.
    pub fn transact(&self) -> Transact {
        let changes = self.changes.iter().map(|change| ChangeDocument {
            name: DocumentName { collection: change.collection.clone(), key: change.key.clone() },
            write: change.write.as_ref().map(|new| NewBody {
                body: StoredBody { text: new.text.clone(), seal_key: new.seal_key.clone() },
                expires_at: new.expires_at,
            }),
            expected: change.expected,
            diff: change.diff.clone(),
        });
        let guards = self.guards.iter().map(|guard| Guard {
            name: DocumentName { collection: guard.collection.clone(), key: guard.key.clone() },
            revision: guard.revision,
        });
        Transact {
            namespace: self.namespace.clone(),
            changes: changes.collect(),
            guards: guards.collect(),
            memo: Some(RequestMemo {
                key: self.memo.key.clone(),
                fingerprint: self.memo.fingerprint.clone(),
                until: self.memo.until,
            }),
            by: self.by.clone(),
            epoch: self.epoch.clone(),
            limits: DocumentLimits {
                max_documents: self.max_documents,
                max_revisions: self.max_revisions,
                max_history_bytes: self.max_history_bytes,
                max_log: self.max_log,
            },
            now: self.now,
        }
    }

    /// The names of what it changes, for people.
    pub fn subject(&self) -> String {
        const SHOWN: usize = 3;
        let name = |change: &KeptChange| format!("{}/{}", change.collection, change.key);
        let shown: Vec<String> = self.changes.iter().take(SHOWN).map(name).collect();
        let more = self.changes.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{} {}{more}", self.namespace, shown.join(", "))
    }

    /// Has it build on what an earlier one became in the store. Says whether it builds on that one.
    pub fn build_on(&mut self, provisional: u64, actual: u64) -> bool {
        let mut builds = false;
        let expected = self.changes.iter_mut().filter_map(|change| change.expected.as_mut());
        for revision in expected.chain(self.guards.iter_mut().map(|guard| &mut guard.revision)) {
            if *revision == provisional {
                *revision = actual;
                builds = true;
            }
        }
        builds
    }
}
