//! A collection with its secrets, for a part of this server that keeps a copy of it.

use super::DocumentService;
use super::reading::to_document;
use crate::documents::port::{ChangesQuery, ChangesRead, DocumentsQuery};
use crate::error::Result;
use mainstay_api::documents::{CollectionName, Document, MAX_PAGE};
use mainstay_api::{Namespace, Position};

/// A collection with its secrets, which has no form for a log.
#[derive(Clone)]
pub struct OpenedCollection {
    /// The documents, by key.
    pub documents: Vec<Document>,
    /// What follows this position is newer than the documents.
    pub position: Position,
}

/// Which collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionPlace {
    /// Where.
    pub namespace: Namespace,
    /// Which.
    pub collection: CollectionName,
}

impl DocumentService {
    /// Reads a collection whole, where anything in it has changed since a position; absent where nothing has. A document whose
    /// secrets cannot be opened is left out, and logged.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn opened_since(
        &self,
        place: &CollectionPlace,
        known: Option<&Position>,
    ) -> Result<Option<OpenedCollection>> {
        match known {
            Some(known) if !self.has_changed(place, known).await? => Ok(None),
            _ => self.opened_collection(place).await.map(Some),
        }
    }

    async fn has_changed(&self, place: &CollectionPlace, known: &Position) -> Result<bool> {
        let mut after = known.clone();
        loop {
            let query = ChangesQuery {
                namespace: place.namespace.clone(),
                after: after.clone(),
                collection: Some(place.collection.clone()),
                limit: MAX_PAGE,
            };
            match self.store.changes(query).await? {
                ChangesRead::Compacted { .. } => return Ok(true),
                ChangesRead::Page { changes, .. } if !changes.is_empty() => return Ok(true),
                ChangesRead::Page { position, .. } if position == after => return Ok(false),
                // Changes of other collections; there may be more behind them.
                ChangesRead::Page { position, .. } => after = position,
            }
        }
    }

    async fn opened_collection(&self, place: &CollectionPlace) -> Result<OpenedCollection> {
        let (mut documents, mut begin, mut after) = (Vec::new(), None, None);
        loop {
            let query = DocumentsQuery {
                namespace: place.namespace.clone(),
                collection: place.collection.clone(),
                after,
                limit: MAX_PAGE,
                now: self.clock.now(),
            };
            let page = self.store.documents(query).await?;
            // What changed while the pages were read follows the first of them, and is looked for again.
            let position = begin.get_or_insert(page.head).clone();
            for row in page.rows {
                match self.open(&place.namespace, &row.name, &row.body) {
                    Ok(value) => documents.push(to_document(row, value)),
                    Err(error) => tracing::error!(name = %row.name, %error, "a document cannot be opened"),
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(OpenedCollection { documents, position }),
            }
        }
    }
}
