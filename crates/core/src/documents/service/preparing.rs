//! From what is asked to what is stored: patched, sealed, checked, compared.

use super::{DocumentService, PURPOSE, Rule, owner, schema_of};
use crate::documents::diff;
use crate::documents::port::{ChangeDocument, DocumentName, DocumentRow, Guard, HistoryQuery, NewBody, StoredBody};
use crate::documents::refusals::{no_revision, not_found, too_large};
use crate::documents::schema::Schema;
use crate::error::{Error, Result};
use crate::jsontext::merge_patch;
use crate::secrets::members::{Sealing, has_secrets, masked, secret_pointers};
use mainstay_api::documents::{
    ChangeKind, CommittedChange, Difference, MAX_DOCUMENT_BYTES, MAX_TRANSACTION_BYTES, SCHEMAS, WriteDocument, WriteOp,
};
use mainstay_api::{Namespace, RawJson, Timestamp};
use secrecy::ExposeSecret;
use std::collections::HashMap;

/// Longest life of a document: ten years.
const MAX_TTL_MS: u64 = 10 * 365 * 24 * 60 * 60 * 1_000;
/// Largest text as it is stored: sealed secrets are longer than they were.
const MAX_STORED_BYTES: usize = 2 * MAX_DOCUMENT_BYTES;

/// A transaction that is ready for the store.
#[derive(Default)]
pub(super) struct Prepared {
    pub changes: Vec<ChangeDocument>,
    pub guards: Vec<Guard>,
    /// What is told of it.
    pub told: Vec<CommittedChange>,
    /// The documents whose revision the caller named.
    pub named: Vec<DocumentName>,
}

/// One transaction while it is prepared.
pub(super) struct Preparing<'a> {
    pub service: &'a DocumentService,
    pub namespace: &'a Namespace,
    /// The schemas of collections that were read, or are written by the transaction itself.
    rules: HashMap<String, Rule>,
    bytes: usize,
    prepared: Prepared,
    now: Timestamp,
}

impl<'a> Preparing<'a> {
    pub(super) fn new(service: &'a DocumentService, namespace: &'a Namespace) -> Self {
        let now = service.clock.now();
        Self { service, namespace, rules: HashMap::new(), bytes: 0, prepared: Prepared::default(), now }
    }

    /// Prepares the documents of a transaction. Schemas come first, so that a collection and its schema can change together.
    pub(super) async fn all(mut self, writes: &[WriteDocument]) -> Result<Prepared> {
        let is_schema = |write: &&WriteDocument| write.collection.as_str() == SCHEMAS;
        for write in writes.iter().filter(is_schema).chain(writes.iter().filter(|write| !is_schema(write))) {
            self.one(write).await?;
        }
        Ok(self.prepared)
    }

    async fn one(&mut self, write: &WriteDocument) -> Result<()> {
        let name = DocumentName { collection: write.collection.clone(), key: write.key.clone() };
        if write.expected.is_some() {
            self.prepared.named.push(name.clone());
        }
        if write.op == WriteOp::Check {
            let missing = || Error::invalid(format!("{name}: a check needs `expected`"));
            self.prepared.guards.push(Guard { revision: write.expected.ok_or_else(missing)?, name: name.clone() });
            return Ok(());
        }
        let row = self.service.store.document(self.namespace, &name, self.now).await?;
        let Some(text) = self.text(write, (&name, row.as_ref())).await? else {
            return self.delete(write, name, row.as_ref());
        };
        self.measure(&name, text.as_str().len())?;
        let expires_at = self.end(write, row.as_ref())?;
        self.rule_for(write).await?;
        let (body, opened) = self.sealed(&name, &text, row.as_ref())?;
        let diff = self.diff(&name, row.as_ref(), Some((&body, &opened)))?;
        let new = Some(NewBody { body, expires_at });
        self.push(write, (name, ChangeKind::Put), new, (diff, row.as_ref()))
    }

    fn delete(&mut self, write: &WriteDocument, name: DocumentName, row: Option<&DocumentRow>) -> Result<()> {
        if name.collection.as_str() == SCHEMAS {
            self.rules.insert(name.key.as_str().to_owned(), Rule { schema: None, revision: 0 });
        }
        let diff = self.diff(&name, row, None)?;
        self.push(write, (name, ChangeKind::Deleted), None, (diff, row))
    }

    fn push(
        &mut self,
        write: &WriteDocument,
        (name, kind): (DocumentName, ChangeKind),
        new: Option<NewBody>,
        (diff, row): (Vec<Difference>, Option<&DocumentRow>),
    ) -> Result<()> {
        // What was read is what is replaced. A delete of what is not there is left to the store, which knows repetitions.
        let read = row.map_or_else(|| new.is_some().then_some(0), |row| Some(row.revision));
        let told = RawJson::of(&diff).map_err(|e| Error::bug(format!("a difference is no JSON: {e}")))?;
        self.prepared.changes.push(ChangeDocument {
            name: name.clone(),
            write: new,
            expected: write.expected.or(read),
            diff: told,
        });
        self.prepared.told.push(CommittedChange { collection: name.collection, key: name.key, kind, diff });
        Ok(())
    }

    /// The text that is to stand, with masks where secrets are kept; absent where the document is deleted.
    async fn text(
        &self,
        write: &WriteDocument,
        (name, row): (&DocumentName, Option<&DocumentRow>),
    ) -> Result<Option<RawJson>> {
        let value = || write.value.clone().ok_or_else(|| Error::invalid(format!("{name}: `value` is missing")));
        match write.op {
            WriteOp::Put => value().map(Some),
            WriteOp::Patch => {
                let row = row.ok_or_else(|| not_found(name))?;
                merge_patch(&masked(&row.body.text)?, &value()?).map(Some)
            }
            WriteOp::RollBack => {
                let missing = || Error::invalid(format!("{name}: `revision` is missing"));
                self.earlier(name, write.revision.ok_or_else(missing)?).await.map(Some)
            }
            WriteOp::Delete | WriteOp::Check => Ok(None),
        }
    }

    /// The text of an earlier revision, with its secrets.
    async fn earlier(&self, name: &DocumentName, revision: u64) -> Result<RawJson> {
        let query = HistoryQuery {
            namespace: self.namespace.clone(),
            name: name.clone(),
            before: Some(revision.saturating_add(1)),
            limit: 1,
        };
        let found = self.service.store.history(query).await?.into_iter().find(|row| row.revision == revision);
        let body = found.and_then(|row| row.body).ok_or_else(|| no_revision(name, revision))?;
        self.service.open(self.namespace, name, &body)
    }

    fn measure(&mut self, name: &DocumentName, bytes: usize) -> Result<()> {
        if bytes > MAX_DOCUMENT_BYTES {
            return Err(too_large(&format!("the document {name}"), bytes, MAX_DOCUMENT_BYTES));
        }
        self.bytes += bytes;
        if self.bytes > MAX_TRANSACTION_BYTES {
            return Err(too_large("the transaction", self.bytes, MAX_TRANSACTION_BYTES));
        }
        Ok(())
    }

    fn end(&self, write: &WriteDocument, row: Option<&DocumentRow>) -> Result<Option<Timestamp>> {
        match write.ttl_ms {
            Some(ttl) if (1..=MAX_TTL_MS).contains(&ttl) => {
                let ttl = i64::try_from(ttl).unwrap_or(i64::MAX);
                Ok(Some(Timestamp::from_millis(self.now.as_millis().saturating_add(ttl))))
            }
            Some(ttl) => Err(Error::invalid(format!("ttl_ms: {ttl} is not 1 to {MAX_TTL_MS}"))),
            None if write.op == WriteOp::Patch => Ok(row.and_then(|row| row.expires_at)),
            None => Ok(None),
        }
    }

    /// Reads the schema of the collection, and makes its revision a guard: a schema that changes meanwhile is not passed by.
    async fn rule_for(&mut self, write: &WriteDocument) -> Result<()> {
        let collection = write.collection.as_str();
        let Some(schema) = schema_of(&write.collection).filter(|_| !self.rules.contains_key(collection)) else {
            return Ok(());
        };
        let rule = self.service.rule(self.namespace, &write.collection).await?;
        self.prepared.guards.push(Guard { name: schema, revision: rule.revision });
        self.rules.insert(collection.to_owned(), rule);
        Ok(())
    }

    /// The text to store, and the whole text as it reads with its secrets.
    fn sealed(
        &mut self,
        name: &DocumentName,
        text: &RawJson,
        row: Option<&DocumentRow>,
    ) -> Result<(StoredBody, RawJson)> {
        if name.collection.as_str() == SCHEMAS {
            return self.schema(name, text);
        }
        let Some(rule) = self.rules.get(name.collection.as_str()) else {
            return Err(Error::bug("the schema of a collection was not read"));
        };
        let owner = owner(self.namespace, name);
        let ring = self.service.rules.ring.as_ref();
        let sealing = Sealing { ring, purpose: PURPOSE, owner: &owner, marks: rule.marks() };
        let sealed = sealing.seal(text, row.map(|row| &row.body.text))?;
        if let Some(schema) = &rule.schema {
            schema.check(sealed.opened.expose_secret())?;
        }
        let bytes = sealed.stored.as_str().len();
        if bytes > MAX_STORED_BYTES {
            return Err(too_large(&format!("the document {name} with its sealed secrets"), bytes, MAX_STORED_BYTES));
        }
        let opened = RawJson::parse(sealed.opened.expose_secret());
        let opened = opened.map_err(|_| Error::bug("a document that was sealed is no JSON"))?;
        Ok((StoredBody { text: sealed.stored, seal_key: sealed.seal_key }, opened))
    }

    /// A schema speaks of secrets and holds none: it is stored as it is.
    fn schema(&mut self, name: &DocumentName, text: &RawJson) -> Result<(StoredBody, RawJson)> {
        if has_secrets(text)? {
            return Err(Error::invalid(format!("{name}: a schema holds no sealed secrets")));
        }
        let rule = Rule { schema: Some(Schema::parse(text)?), revision: 0 };
        self.rules.insert(name.key.as_str().to_owned(), rule);
        Ok((StoredBody { text: text.clone(), seal_key: None }, text.clone()))
    }

    fn diff(
        &self,
        name: &DocumentName,
        row: Option<&DocumentRow>,
        new: Option<(&StoredBody, &RawJson)>,
    ) -> Result<Vec<Difference>> {
        let old = row.map(|row| self.service.open(self.namespace, name, &row.body)).transpose()?;
        let mut secrets = row.map(|row| secret_pointers(&row.body.text)).transpose()?.unwrap_or_default();
        if let Some((body, _)) = new {
            secrets.extend(secret_pointers(&body.text)?);
        }
        diff::between(old.as_ref(), new.map(|(_, opened)| opened), &secrets)
    }
}
