//! Following what changes.

use super::{DocumentService, page_limit};
use crate::documents::port::{ChangesQuery, ChangesRead};
use crate::error::Result;
use crate::{Caller, Scope};
use mainstay_api::documents::{Compacted, DocumentChanges, ListChanges};

impl DocumentService {
    /// The changes after a position, in order and without gaps, or that it cannot be continued; without a position, the
    /// newest one. Never waits.
    ///
    /// # Errors
    /// An invalid limit.
    pub async fn changes(&self, caller: &Caller, list: &ListChanges) -> Result<DocumentChanges> {
        caller.require(Scope::DocumentsRead)?;
        let limit = page_limit(list.limit)?;
        let Some(after) = list.after.clone() else {
            let position = self.store.head(&caller.namespace).await?;
            return Ok(DocumentChanges { changes: Vec::new(), position, compacted: None });
        };
        let (namespace, collection) = (caller.namespace.clone(), list.collection.clone());
        match self.store.changes(ChangesQuery { namespace, after, collection, limit }).await? {
            ChangesRead::Page { changes, position } => Ok(DocumentChanges { changes, position, compacted: None }),
            ChangesRead::Compacted { oldest, head } => {
                let compacted = Some(Compacted { oldest, head: head.clone() });
                Ok(DocumentChanges { changes: Vec::new(), position: head, compacted })
            }
        }
    }
}
