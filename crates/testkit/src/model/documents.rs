//! Documents on the model.

use super::wakeups::Wakeups;
use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::api::documents::{ChangeKind, CollectionName, DocumentChange, beginning};
use mainstay_core::api::{Namespace, Offset, Position, RawJson, Timestamp};
use mainstay_core::documents::{
    ChangesQuery, ChangesRead, DocumentLimits, DocumentName, DocumentRow, DocumentStore, DocumentsQuery, DocumentsRead,
    HistoryQuery, MAX_PAGE_BYTES, NewBody, PurgeDocuments, RevisionRow, SealedRevision, StoredBody, Transact,
    Transacted,
};
use mainstay_core::mail::RequestMemo;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The documents of every namespace, behind one lock.
pub(super) struct ModelDocuments {
    spaces: Mutex<BTreeMap<Namespace, Space>>,
    wakeups: Arc<Wakeups>,
}

/// The documents of a namespace.
struct Space {
    head: Position,
    /// The last revision that left the log.
    horizon: u64,
    /// By name: the revisions, the newest last.
    documents: BTreeMap<DocumentName, Vec<Kept>>,
    log: Vec<DocumentChange>,
    requests: Vec<(RequestMemo, Position)>,
}

#[derive(Clone)]
struct Kept {
    row: RevisionRow,
    expires_at: Option<Timestamp>,
}

impl Default for Space {
    fn default() -> Self {
        Self { head: beginning(), horizon: 0, documents: BTreeMap::new(), log: Vec::new(), requests: Vec::new() }
    }
}

/// A change as it is stored.
struct Entry {
    name: DocumentName,
    kind: ChangeKind,
    write: Option<NewBody>,
    diff: RawJson,
}

impl ModelDocuments {
    pub fn new(wakeups: Arc<Wakeups>) -> Self {
        Self { spaces: Mutex::default(), wakeups }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Namespace, Space>> {
        self.spaces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Space {
    /// The newest revision of a document that is stored, whether its time is over or not.
    fn stored(&self, name: &DocumentName) -> Option<(&Kept, &StoredBody)> {
        let kept = self.documents.get(name)?.last()?;
        Some((kept, kept.row.body.as_ref()?))
    }

    fn live(&self, name: &DocumentName, now: Timestamp) -> Option<DocumentRow> {
        let (kept, body) = self.stored(name)?;
        if kept.expires_at.is_some_and(|at| at <= now) {
            return None;
        }
        Some(DocumentRow {
            name: name.clone(),
            revision: kept.row.revision,
            body: body.clone(),
            updated_at: kept.row.at,
            updated_by: kept.row.by.clone(),
            expires_at: kept.expires_at,
        })
    }

    fn count(&self) -> usize {
        self.documents.keys().filter(|name| self.stored(name).is_some()).count()
    }

    fn commit(&mut self, entries: Vec<Entry>, by: &str, now: Timestamp, limits: DocumentLimits) {
        let micros = u64::try_from(now.as_millis()).unwrap_or(0) * 1_000;
        let revision = micros.max(self.head.offset.0 + 1);
        self.head.offset = Offset(revision);
        for Entry { name, kind, write, diff } in entries {
            let (body, expires_at) = write.map_or((None, None), |new| (Some(new.body), new.expires_at));
            let row = RevisionRow { revision, kind, body, diff, at: now, by: by.to_owned() };
            let revisions = self.documents.entry(name.clone()).or_default();
            revisions.push(Kept { row, expires_at });
            let bytes = |kept: &[Kept]| -> u64 {
                kept.iter().filter_map(|kept| kept.row.body.as_ref()).map(|body| body.text.as_str().len() as u64).sum()
            };
            while revisions.len() > 1
                && (revisions.len() > limits.max_revisions as usize || bytes(revisions) > limits.max_history_bytes)
            {
                revisions.remove(0);
            }
            self.log.push(DocumentChange {
                revision,
                collection: name.collection,
                key: name.key,
                kind,
                at: now,
                by: by.to_owned(),
            });
        }
        while self.log.len() > limits.max_log as usize {
            self.horizon = self.log.remove(0).revision;
        }
        self.forget_gone(limits);
    }

    /// Drops the history of the documents that went first, where there are more of them than is kept.
    fn forget_gone(&mut self, limits: DocumentLimits) {
        let gone = self.documents.iter().filter_map(|(name, kept)| {
            let last = kept.last()?;
            last.row.body.is_none().then(|| (last.row.revision, name.to_string(), name.clone()))
        });
        let gone: BTreeSet<_> = gone.collect();
        for (_, _, name) in gone.iter().take(gone.len().saturating_sub(limits.max_documents as usize)) {
            self.documents.remove(name);
        }
    }

    fn transact(&mut self, transact: Transact) -> Transacted {
        let now = transact.now;
        self.requests.retain(|(memo, _)| memo.until > now);
        if let Some(memo) = &transact.memo
            && let Some((known, position)) = self.requests.iter().find(|(known, _)| known.key == memo.key)
        {
            return match known.fingerprint == memo.fingerprint {
                true => Transacted::Replayed(position.clone()),
                false => Transacted::MemoMismatch,
            };
        }
        let current = |name: &DocumentName| self.live(name, now).map_or(0, |row| row.revision);
        let expected = transact.guards.iter().map(|guard| (&guard.name, Some(guard.revision), false));
        let changed = transact.changes.iter().map(|change| (&change.name, change.expected, change.write.is_none()));
        for (name, expected, must_be) in expected.chain(changed) {
            let current = current(name);
            if expected.is_some_and(|expected| expected != current) || (must_be && current == 0) {
                return Transacted::Conflict { name: name.clone(), current };
            }
        }
        let made = transact.changes.iter().filter(|c| c.write.is_some() && self.stored(&c.name).is_none()).count();
        let gone = transact.changes.iter().filter(|c| c.write.is_none() && self.stored(&c.name).is_some()).count();
        if made > gone && self.count() + made - gone > transact.limits.max_documents as usize {
            return Transacted::Full;
        }
        if self.head == beginning() {
            self.head = Position { epoch: transact.epoch.clone(), offset: Offset(0) };
        }
        let entries = transact.changes.into_iter().map(|change| Entry {
            kind: if change.write.is_some() { ChangeKind::Put } else { ChangeKind::Deleted },
            name: change.name,
            write: change.write,
            diff: change.diff,
        });
        self.commit(entries.collect(), &transact.by, now, transact.limits);
        if let Some(memo) = transact.memo {
            self.requests.push((memo, self.head.clone()));
        }
        Transacted::Committed(self.head.clone())
    }

    fn changes(&self, query: &ChangesQuery) -> ChangesRead {
        let (after, head) = (&query.after, self.head.clone());
        let of_this_life = after.epoch == head.epoch || *after == beginning();
        if !of_this_life || after.offset.0 < self.horizon || after.offset > head.offset {
            return ChangesRead::Compacted { oldest: self.horizon, head };
        }
        let all: Vec<_> = self.log.iter().filter(|change| change.revision > after.offset.0).collect();
        let end = match all.get((query.limit as usize).max(1) - 1) {
            Some(last) => all.iter().filter(|change| change.revision <= last.revision).count(),
            None => all.len(),
        };
        let offset = if end < all.len() { Offset(all[end - 1].revision) } else { head.offset };
        let wanted = |change: &&&DocumentChange| query.collection.as_ref().is_none_or(|of| *of == change.collection);
        let changes = all[..end].iter().filter(wanted).map(|change| (*change).clone()).collect();
        ChangesRead::Page { changes, position: Position { epoch: head.epoch, offset } }
    }

    fn purge(&mut self, purge: PurgeDocuments) -> (u32, bool) {
        let over = self.documents.iter().filter_map(|(name, kept)| {
            let last = kept.last()?;
            let at = last.expires_at.filter(|_| last.row.body.is_some())?;
            (at <= purge.now).then(|| (at, name.to_string(), name.clone()))
        });
        let over: BTreeSet<_> = over.collect();
        let over: Vec<_> = over.into_iter().take(purge.limit.min(64) as usize).map(|(_, _, name)| name).collect();
        let expired = over.len() as u32;
        if expired > 0 {
            let nothing = RawJson::parse("[]").expect("JSON");
            let entry = |name| Entry { name, kind: ChangeKind::Expired, write: None, diff: nothing.clone() };
            self.commit(over.into_iter().map(entry).collect(), "store", purge.now, purge.limits);
        }
        let before = u64::try_from(purge.history_before.as_millis()).unwrap_or(0) * 1_000;
        let mut removed = 0;
        let mut old: Vec<_> = Vec::new();
        for (name, kept) in &self.documents {
            for (nth, revision) in kept.iter().enumerate() {
                let current = nth + 1 == kept.len() && revision.row.body.is_some();
                if !current && revision.row.revision < before {
                    old.push((revision.row.revision, name.to_string(), name.clone()));
                }
            }
        }
        old.sort();
        for (revision, _, name) in old.into_iter().take(purge.limit as usize) {
            let kept = self.documents.get_mut(&name).expect("a document");
            kept.retain(|kept| kept.row.revision != revision);
            if kept.is_empty() {
                self.documents.remove(&name);
            }
            removed += 1;
        }
        (expired + removed, expired > 0)
    }
}

#[async_trait]
impl DocumentStore for ModelDocuments {
    async fn transact(&self, transact: Transact) -> Result<Transacted> {
        let namespace = transact.namespace.clone();
        let done = self.lock().entry(namespace.clone()).or_default().transact(transact);
        if matches!(done, Transacted::Committed(_)) {
            self.wakeups.documents(&namespace);
        }
        Ok(done)
    }

    async fn document(
        &self,
        namespace: &Namespace,
        name: &DocumentName,
        now: Timestamp,
    ) -> Result<Option<DocumentRow>> {
        Ok(self.lock().get(namespace).and_then(|space| space.live(name, now)))
    }

    async fn documents(&self, query: DocumentsQuery) -> Result<DocumentsRead> {
        let mut spaces = self.lock();
        let space = spaces.entry(query.namespace.clone()).or_default();
        let (mut rows, mut bytes, mut next) = (Vec::new(), 0, None);
        for name in space.documents.keys().filter(|name| name.collection == query.collection) {
            if query.after.as_ref().is_some_and(|after| name.key <= *after) {
                continue;
            }
            let Some(row) = space.live(name, query.now) else { continue };
            bytes += row.body.text.as_str().len();
            if rows.len() >= query.limit as usize || (!rows.is_empty() && bytes > MAX_PAGE_BYTES) {
                next = rows.last().map(|row: &DocumentRow| row.name.key.clone());
                break;
            }
            rows.push(row);
        }
        Ok(DocumentsRead { rows, next, head: space.head.clone() })
    }

    async fn collections(&self, namespace: &Namespace) -> Result<Vec<CollectionName>> {
        let spaces = self.lock();
        let Some(space) = spaces.get(namespace) else { return Ok(Vec::new()) };
        let named = space.documents.keys().filter(|name| space.stored(name).is_some());
        Ok(named.map(|name| name.collection.clone()).collect::<BTreeSet<_>>().into_iter().collect())
    }

    async fn history(&self, query: HistoryQuery) -> Result<Vec<RevisionRow>> {
        let spaces = self.lock();
        let revisions = spaces.get(&query.namespace).and_then(|space| space.documents.get(&query.name));
        let (mut rows, mut bytes) = (Vec::new(), 0);
        for Kept { row, .. } in revisions.into_iter().flatten().rev() {
            if query.before.is_some_and(|before| row.revision >= before) {
                continue;
            }
            bytes += row.body.as_ref().map_or(0, |body| body.text.as_str().len());
            if rows.len() >= query.limit as usize || (!rows.is_empty() && bytes > MAX_PAGE_BYTES) {
                break;
            }
            rows.push(row.clone());
        }
        Ok(rows)
    }

    async fn changes(&self, query: ChangesQuery) -> Result<ChangesRead> {
        Ok(self.lock().entry(query.namespace.clone()).or_default().changes(&query))
    }

    async fn head(&self, namespace: &Namespace) -> Result<Position> {
        Ok(self.lock().get(namespace).map_or_else(beginning, |space| space.head.clone()))
    }

    async fn seal_keys(&self) -> Result<Vec<String>> {
        let spaces = self.lock();
        let revisions = spaces.values().flat_map(|space| space.documents.values()).flatten();
        let keys: BTreeSet<_> = revisions.filter_map(|kept| kept.row.body.as_ref()?.seal_key.clone()).collect();
        Ok(keys.into_iter().collect())
    }

    async fn sealed_otherwise(&self, key: &str, limit: u32) -> Result<Vec<SealedRevision>> {
        let spaces = self.lock();
        let mut found = Vec::new();
        for (namespace, space) in spaces.iter() {
            for (name, kept) in space.documents.iter().flat_map(|(name, all)| all.iter().map(move |kept| (name, kept)))
            {
                let Some(body) = kept.row.body.clone() else { continue };
                if body.seal_key.as_deref().is_some_and(|sealed| sealed != key) && found.len() < limit as usize {
                    let (namespace, name, revision) = (namespace.clone(), name.clone(), kept.row.revision);
                    found.push(SealedRevision { namespace, name, revision, body });
                }
            }
        }
        Ok(found)
    }

    async fn reseal(&self, revision: SealedRevision, before: &str) -> Result<bool> {
        let mut spaces = self.lock();
        let kept = spaces.get_mut(&revision.namespace).and_then(|space| space.documents.get_mut(&revision.name));
        let same = kept.into_iter().flatten().find(|kept| kept.row.revision == revision.revision);
        let Some(body) = same.and_then(|kept| kept.row.body.as_mut()) else { return Ok(false) };
        if body.seal_key.as_deref() != Some(before) {
            return Ok(false);
        }
        *body = revision.body;
        Ok(true)
    }

    async fn purge(&self, purge: PurgeDocuments) -> Result<u32> {
        let mut removed = 0;
        let mut woken = Vec::new();
        for (namespace, space) in self.lock().iter_mut() {
            let (here, expired) = space.purge(purge);
            removed += here;
            if expired {
                woken.push(namespace.clone());
            }
        }
        woken.iter().for_each(|namespace| self.wakeups.documents(namespace));
        Ok(removed)
    }
}
