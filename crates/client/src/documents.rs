//! Calls about documents.

use crate::call::{Call, path};
use crate::{Client, Result};
use http::Method;
use mainstay_api::documents::{
    CollectionName, Committed, Document, DocumentChanges, DocumentHistory, DocumentKey, DocumentsPage, ListChanges,
    ListDocuments, ListHistory, Transaction,
};
use mainstay_api::ids::RequestId;

/// Calls about documents, see [`Client::documents`].
pub struct Documents<'a>(pub(crate) &'a Client);

impl Documents<'_> {
    /// The collections that have documents.
    ///
    /// # Errors
    /// Those of every call.
    pub async fn collections(&self) -> Result<Vec<CollectionName>> {
        self.0.call(Call::get(path(&["v1", "documents"]))).await
    }

    /// A page of documents of a collection, by key.
    ///
    /// # Errors
    /// `page.invalid_cursor`, or an invalid request.
    pub async fn list(&self, collection: &CollectionName, list: &ListDocuments) -> Result<DocumentsPage> {
        self.0.call(Call::get(path(&["v1", "documents", collection.as_str()])).query(list)?).await
    }

    /// A document, with masks in the place of secrets.
    ///
    /// # Errors
    /// `documents.not_found`.
    pub async fn read(&self, collection: &CollectionName, key: &DocumentKey) -> Result<Document> {
        self.0.call(Call::get(of(collection, key, &[]))).await
    }

    /// A document with its secrets, which is recorded.
    ///
    /// # Errors
    /// `documents.not_found`.
    pub async fn reveal(&self, collection: &CollectionName, key: &DocumentKey) -> Result<Document> {
        self.0.call(Call::get(of(collection, key, &["revealed"]))).await
    }

    /// What a document was, the newest revision first.
    ///
    /// # Errors
    /// `documents.not_found`.
    pub async fn history(
        &self,
        collection: &CollectionName,
        key: &DocumentKey,
        list: &ListHistory,
    ) -> Result<DocumentHistory> {
        self.0.call(Call::get(of(collection, key, &["history"])).query(list)?).await
    }

    /// Changes documents together, or none of them. With the same request id, a repetition returns the first result.
    ///
    /// # Errors
    /// `documents.not_found`, `documents.version_conflict`, `documents.schema_violation`, `documents.full`,
    /// `request.id_reused`, or an invalid request.
    pub async fn write(&self, transaction: &Transaction, request: Option<RequestId>) -> Result<Committed> {
        let path = path(&["v1", "documents", "transactions"]);
        self.0.call(Call::write(Method::POST, path, request)?.json(transaction)?).await
    }

    /// Changes after a position, in order and without gaps, waiting for one as long as is asked for.
    ///
    /// # Errors
    /// Those of every call.
    pub async fn changes(&self, list: &ListChanges) -> Result<DocumentChanges> {
        let mut call = Call::get(path(&["v1", "documents", "changes"])).query(list)?;
        call.wait_ms = list.wait_ms.unwrap_or(0);
        self.0.call(call).await
    }
}

fn of(collection: &CollectionName, key: &DocumentKey, rest: &[&str]) -> String {
    let segments = ["v1", "documents", collection.as_str(), key.as_str()];
    path(&segments.into_iter().chain(rest.iter().copied()).collect::<Vec<_>>())
}
