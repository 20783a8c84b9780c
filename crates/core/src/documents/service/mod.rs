//! The rules of documents.

mod following;
mod keeping;
mod preparing;
mod reading;
mod writing;

use super::port::{DocumentLimits, DocumentName, DocumentStore, StoredBody};
use super::schema::Schema;
use crate::error::{Error, Result};
use crate::secrets::KeyRing;
use crate::secrets::members::{Sealing, Step};
use crate::{Clock, Mint};
use mainstay_api::documents::{CollectionName, DEFAULT_PAGE, DocumentKey, MAX_PAGE, SCHEMAS};
use mainstay_api::{Namespace, RawJson};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::ExposeSecret;
use std::sync::Arc;

/// Everything in a part of an owner's name is encoded but letters, digits and these.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// What is configured about documents.
#[derive(Debug, Clone)]
pub struct DocumentRules {
    /// The bounds of a namespace.
    pub limits: DocumentLimits,
    /// How long revisions are kept that are not the current one, in milliseconds.
    pub history_ms: i64,
    /// Keys that secrets are sealed with; without, no document with a secret is taken.
    pub ring: Option<KeyRing>,
}

impl Default for DocumentRules {
    /// 10,000 documents; of each 100 revisions, 30 days and 4 MiB; 10,000 changes in the log, which are at most 16 MiB.
    fn default() -> Self {
        Self {
            limits: DocumentLimits {
                max_documents: 10_000,
                max_revisions: 100,
                max_history_bytes: 4 * 1_024 * 1_024,
                max_log: 10_000,
            },
            history_ms: 30 * 24 * 60 * 60 * 1_000,
            ring: None,
        }
    }
}

/// Documents: every operation, for every surface.
pub struct DocumentService {
    store: Arc<dyn DocumentStore>,
    clock: Arc<dyn Clock>,
    mint: Arc<dyn Mint>,
    rules: DocumentRules,
}

/// The schema of a collection, and the revision of the document that it stands in; 0 where it has none.
struct Rule {
    schema: Option<Schema>,
    revision: u64,
}

impl Rule {
    fn marks(&self) -> &[Vec<Step>] {
        self.schema.as_ref().map_or(&[], |schema| &schema.secrets)
    }
}

impl DocumentService {
    /// Documents on a store.
    #[must_use]
    pub fn new(
        store: Arc<dyn DocumentStore>,
        clock: Arc<dyn Clock>,
        mint: Arc<dyn Mint>,
        rules: DocumentRules,
    ) -> Self {
        Self { store, clock, mint, rules }
    }

    async fn rule(&self, namespace: &Namespace, collection: &CollectionName) -> Result<Rule> {
        let row = match schema_of(collection) {
            Some(name) => self.store.document(namespace, &name, self.clock.now()).await?,
            None => None,
        };
        let revision = row.as_ref().map_or(0, |row| row.revision);
        Ok(Rule { schema: row.map(|row| Schema::parse(&row.body.text)).transpose()?, revision })
    }

    /// The text of a document with its secrets.
    fn open(&self, namespace: &Namespace, name: &DocumentName, body: &StoredBody) -> Result<RawJson> {
        let Some(_sealed) = &body.seal_key else { return Ok(body.text.clone()) };
        let owner = owner(namespace, name);
        let sealing = Sealing { ring: self.rules.ring.as_ref(), purpose: PURPOSE, owner: &owner, marks: &[] };
        let opened = sealing.open(&body.text)?;
        RawJson::parse(opened.expose_secret()).map_err(|_| Error::inconsistent("an opened document is no JSON"))
    }
}

/// What the secrets of documents are sealed for.
const PURPOSE: &str = "document";

/// Whose the secrets of a document are. No two documents have the same.
fn owner(namespace: &Namespace, name: &DocumentName) -> String {
    let part = |text: &str| utf8_percent_encode(text, PART).to_string();
    format!("{}/{}/{}", part(namespace.as_str()), name.collection, part(name.key.as_str()))
}

/// The document that is the schema of a collection. Schemas have none.
fn schema_of(collection: &CollectionName) -> Option<DocumentName> {
    if collection.as_str() == SCHEMAS {
        return None;
    }
    let key = DocumentKey::parse(collection.as_str()).ok()?;
    Some(DocumentName { collection: CollectionName::schemas(), key })
}

fn page_limit(limit: Option<u32>) -> Result<u32> {
    match limit.unwrap_or(DEFAULT_PAGE) {
        limit if (1..=MAX_PAGE).contains(&limit) => Ok(limit),
        limit => Err(Error::invalid(format!("limit: {limit}; ask for 1 to {MAX_PAGE}"))),
    }
}
