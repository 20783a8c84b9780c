//! Reading documents and their history.

use super::{DocumentService, page_limit};
use crate::documents::port::{DocumentName, DocumentRow, DocumentsQuery, HistoryQuery, RevisionRow};
use crate::documents::refusals::not_found;
use crate::error::{Error, Result};
use crate::secrets::members::masked;
use crate::{Caller, Scope};
use mainstay_api::documents::{
    CollectionName, Document, DocumentHistory, DocumentKey, DocumentRevision, DocumentsPage, ListDocuments, ListHistory,
};
use mainstay_api::{Code, RawJson};

impl DocumentService {
    /// Reads a document, with masks in the place of secrets, or with the secrets where they are asked for.
    ///
    /// # Errors
    /// `documents.not_found`; for secrets, `secrets.key_missing` and `secrets.unreadable`.
    pub async fn read(&self, caller: &Caller, name: &DocumentName, reveal: bool) -> Result<Document> {
        caller.require(Scope::DocumentsRead)?;
        if reveal {
            caller.require(Scope::DocumentsSecrets)?;
        }
        let found = self.store.document(&caller.namespace, name, self.clock.now()).await?;
        let row = found.ok_or_else(|| not_found(name))?;
        let value = if reveal { self.open(&caller.namespace, name, &row.body)? } else { shown(&row)? };
        Ok(to_document(row, value))
    }

    /// Lists documents of a collection by key, with masks in the place of secrets.
    ///
    /// # Errors
    /// An invalid limit or cursor.
    pub async fn list(
        &self,
        caller: &Caller,
        collection: CollectionName,
        list: ListDocuments,
    ) -> Result<DocumentsPage> {
        caller.require(Scope::DocumentsRead)?;
        let query = DocumentsQuery {
            namespace: caller.namespace.clone(),
            collection,
            after: list.cursor.map(|cursor| DocumentKey::parse(cursor).map_err(|_| bad_cursor())).transpose()?,
            limit: page_limit(list.limit)?,
            now: self.clock.now(),
        };
        let page = self.store.documents(query).await?;
        let items = page.rows.into_iter().map(|row| {
            let value = shown(&row)?;
            Ok(to_document(row, value))
        });
        let items = items.collect::<Result<_>>()?;
        Ok(DocumentsPage { items, next: page.next.map(|key| key.as_str().to_owned()), position: page.head })
    }

    /// The collections of the namespace that have documents, by name.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn collections(&self, caller: &Caller) -> Result<Vec<CollectionName>> {
        caller.require(Scope::DocumentsRead)?;
        let mut collections = self.store.collections(&caller.namespace).await?;
        collections.sort();
        Ok(collections)
    }

    /// What a document was, the newest revision first; also one that is gone.
    ///
    /// # Errors
    /// `documents.not_found` where nothing is remembered of it; an invalid limit.
    pub async fn history(&self, caller: &Caller, name: &DocumentName, list: ListHistory) -> Result<DocumentHistory> {
        caller.require(Scope::DocumentsRead)?;
        let limit = page_limit(list.limit)?;
        let query = |limit| HistoryQuery {
            namespace: caller.namespace.clone(),
            name: name.clone(),
            before: list.before,
            limit,
        };
        let rows = self.store.history(query(limit)).await?;
        if rows.is_empty() && list.before.is_none() {
            return Err(not_found(name));
        }
        let more = match rows.last() {
            Some(last) => {
                let earlier = HistoryQuery { before: Some(last.revision), ..query(1) };
                !self.store.history(earlier).await?.is_empty()
            }
            None => false,
        };
        Ok(DocumentHistory { revisions: rows.into_iter().map(to_revision).collect::<Result<_>>()?, more })
    }
}

fn shown(row: &DocumentRow) -> Result<RawJson> {
    if row.body.seal_key.is_some() { masked(&row.body.text) } else { Ok(row.body.text.clone()) }
}

pub(super) fn to_document(row: DocumentRow, value: RawJson) -> Document {
    Document {
        collection: row.name.collection,
        key: row.name.key,
        revision: row.revision,
        updated_at: row.updated_at,
        updated_by: row.updated_by,
        expires_at: row.expires_at,
        value,
    }
}

fn to_revision(row: RevisionRow) -> Result<DocumentRevision> {
    let diff = row.diff.read().map_err(|e| Error::inconsistent(format!("a stored difference: {e}")))?;
    Ok(DocumentRevision {
        revision: row.revision,
        kind: row.kind,
        at: row.at,
        by: row.by,
        diff,
        value: row
            .body
            .map(|body| if body.seal_key.is_some() { masked(&body.text) } else { Ok(body.text) })
            .transpose()?,
    })
}

fn bad_cursor() -> Error {
    Error::new(Code::CursorInvalid, "the cursor is not one that this listing gave", "Begin again without a cursor.")
}
