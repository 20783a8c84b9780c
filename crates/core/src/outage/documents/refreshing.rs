//! Keeping the copies as the store is.

use super::copy::{Copy, Stamp};
use super::{COPIES, MAX_COPY_BYTES, MAX_NAMESPACES, OutlastingDocuments, is_away, read_kept};
use crate::documents::{ChangesQuery, ChangesRead, DocumentName, DocumentRow, DocumentsQuery, Transact};
use crate::error::{Error, Result};
use crate::outage::{POOL_CHANGES, Snapshot};
use mainstay_api::{Namespace, Position, Timestamp};
use std::collections::BTreeSet;

/// Documents that one call reads.
const PAGE: u32 = 1_000;
/// Entries of the journal that one call reads.
const ENTRIES: u32 = 1_000;

impl OutlastingDocuments {
    /// Reads what an earlier process left on the disk.
    pub(super) async fn load(&self) -> Result<()> {
        let limit = u32::try_from(MAX_NAMESPACES).unwrap_or(u32::MAX);
        for name in self.outage.snapshots.names(COPIES, limit).await? {
            let Some(namespace) = name.strip_prefix(COPIES).and_then(|name| Namespace::parse(name).ok()) else {
                continue;
            };
            let Some(snapshot) = self.outage.snapshots.snapshot(&name).await? else { continue };
            match Copy::read(&snapshot.text, snapshot.at) {
                Ok(copy) => {
                    self.know(&namespace);
                    self.lock().entry(namespace).or_default().copy = Some(copy);
                }
                Err(error) => tracing::error!(name, %error, "a copy on the disk cannot be read"),
            }
        }
        self.pools.load().await?;
        self.apply_waiting().await
    }

    /// Applies what waits to the copies, in its order.
    async fn apply_waiting(&self) -> Result<()> {
        let mut after = 0;
        loop {
            let entries = self.outage.journal.waiting(after, ENTRIES).await?;
            let Some(last) = entries.last() else { return Ok(()) };
            after = last.seq;
            self.outage.standing.lost(entries[0].write.at);
            for entry in entries.iter().filter(|entry| entry.write.kind == POOL_CHANGES) {
                self.pools.apply(&entry.write.body)?;
            }
            for entry in entries.iter().filter(|entry| entry.write.kind == super::KIND) {
                let kept = read_kept(&entry.write.body)?;
                if let Some(copy) = self.lock().get_mut(&kept.namespace).and_then(|space| space.copy.as_mut()) {
                    copy.apply(&kept);
                }
            }
        }
    }

    /// Takes over what the store has committed, so that the copy has it also where the store is lost right after.
    pub(super) fn took(&self, transact: &Transact, position: &Position) {
        let mut spaces = self.lock();
        let Some(copy) = spaces.get_mut(&transact.namespace).and_then(|space| space.copy.as_mut()) else { return };
        if copy.head.epoch != position.epoch {
            return;
        }
        let stamp = Stamp { revision: position.offset.0, at: transact.now, by: &transact.by };
        for change in &transact.changes {
            let row = change.write.clone().map(|new| stamp.row(change.name.clone(), new));
            copy.put(change.name.clone(), row);
        }
        // The head stays: others may have written in between, which the next look finds.
    }

    /// Brings every copy up to the store: by what changed, or wholly where it went ways of its own during an outage.
    pub(super) async fn refresh(&self, wholly: bool) -> Result<()> {
        let namespaces: Vec<Namespace> = self.lock().keys().cloned().collect();
        for namespace in namespaces {
            self.refresh_one(&namespace, wholly).await?;
        }
        self.pools.refresh(wholly).await
    }

    async fn refresh_one(&self, namespace: &Namespace, wholly: bool) -> Result<()> {
        let now = self.clock.now();
        let head = self.inner.head(namespace).await?;
        let known = self.lock().get(namespace).and_then(|space| space.copy.as_ref().map(|copy| copy.head.clone()));
        if let Some(known) = known.as_ref().filter(|known| is_another(known, &head)) {
            self.tell_of_another(namespace, known, &head).await?;
        }
        if known.as_ref() == Some(&head) && !wholly {
            if let Some(copy) = self.lock().get_mut(namespace).and_then(|space| space.copy.as_mut()) {
                copy.fresh_at = now;
            }
            return Ok(());
        }
        let caught_up = match known {
            Some(known) if known.epoch == head.epoch && !wholly => self.catch_up(namespace, known, now).await?,
            _ => None,
        };
        let copy = match caught_up {
            Some(copy) => Some(copy),
            None => self.read_all(namespace, &head).await?.map(|rows| Copy::new(head, rows, now)),
        };
        self.keep_copy(namespace, copy).await
    }

    /// The copy with the changes since; absent where the log does not tell them.
    async fn catch_up(&self, namespace: &Namespace, known: Position, now: Timestamp) -> Result<Option<Copy>> {
        let Some(mut copy) = self.lock().get(namespace).and_then(|space| space.copy.clone()) else { return Ok(None) };
        let query = ChangesQuery { namespace: namespace.clone(), after: known, collection: None, limit: PAGE };
        let ChangesRead::Page { changes, position } = self.inner.changes(query).await? else { return Ok(None) };
        let names: BTreeSet<DocumentName> =
            changes.into_iter().map(|change| DocumentName { collection: change.collection, key: change.key }).collect();
        for name in names {
            let row = self.inner.document(namespace, &name, self.clock.now()).await?;
            copy.put(name, row);
        }
        Ok(Some(Copy::new(position, copy.into_rows(), now)))
    }

    /// All documents of a namespace; absent where they are too many bytes for a copy.
    async fn read_all(&self, namespace: &Namespace, head: &Position) -> Result<Option<Vec<DocumentRow>>> {
        let (mut rows, mut bytes) = (Vec::new(), 0);
        for collection in self.inner.collections(namespace).await? {
            let mut after = None;
            loop {
                let (collection, now) = (collection.clone(), self.clock.now());
                let query = DocumentsQuery { namespace: namespace.clone(), collection, after, limit: PAGE, now };
                let page = self.inner.documents(query).await?;
                bytes += page.rows.iter().map(|row| row.body.text.as_str().len()).sum::<usize>();
                if bytes > MAX_COPY_BYTES {
                    return Ok(None);
                }
                rows.extend(page.rows);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        tracing::debug!(%namespace, documents = rows.len(), %head, "documents are copied");
        Ok(Some(rows))
    }

    /// Keeps a copy in memory and on the disk, or none where there are too many documents.
    async fn keep_copy(&self, namespace: &Namespace, copy: Option<Copy>) -> Result<()> {
        let was_too_large = {
            let mut spaces = self.lock();
            let space = spaces.entry(namespace.clone()).or_default();
            let too_large = copy.as_ref().is_none_or(|copy| copy.bytes() > MAX_COPY_BYTES);
            space.copy = copy.clone().filter(|_| !too_large);
            std::mem::replace(&mut space.too_large, too_large)
        };
        let name = format!("{COPIES}{namespace}");
        let Some(copy) = copy.filter(|copy| copy.bytes() <= MAX_COPY_BYTES) else {
            if !was_too_large {
                tracing::warn!(%namespace, limit_bytes = MAX_COPY_BYTES, "there are too many documents for a copy: they end with the store");
            }
            return self.outage.snapshots.forget(&name).await.map(drop);
        };
        let text = copy.write().map_err(|e| Error::bug(format!("a copy cannot be written: {e}")))?;
        self.outage.snapshots.put(&name, Snapshot { text, at: copy.fresh_at }).await
    }

    /// Says loudly that the store is another one, and keeps the copy of the one that was lost apart.
    async fn tell_of_another(&self, namespace: &Namespace, known: &Position, head: &Position) -> Result<()> {
        let copy = self.lock().get(namespace).and_then(|space| space.copy.clone());
        let Some(copy) = copy else { return Ok(()) };
        let name = format!("lost/{namespace}/{}", known.epoch.as_str());
        tracing::error!(
            %namespace, was = %known, is = %head, documents = copy.len(), copy = name,
            "the store is not the one that was known: its documents are gone; their last copy is kept in the file of the outage"
        );
        let text = copy.write().map_err(|e| Error::bug(format!("a copy cannot be written: {e}")))?;
        self.outage.snapshots.put(&name, Snapshot { text, at: copy.fresh_at }).await
    }

    /// One look at the store while it is there: the copies, or only whether it answers.
    ///
    /// # Errors
    /// Those of the disk; those of the store that do not say that it is away.
    pub(super) async fn look(&self) -> Result<()> {
        let seen = async {
            self.probe.ping().await?;
            self.refresh(false).await
        };
        match seen.await {
            Err(error) if is_away(&error) => {
                self.lost(&error);
                Ok(())
            }
            answer => answer,
        }
    }
}

/// Whether a store that has this head is another than the one whose head was known.
pub(super) fn is_another(known: &Position, head: &Position) -> bool {
    known.offset.0 > 0 && known.epoch != head.epoch
}
