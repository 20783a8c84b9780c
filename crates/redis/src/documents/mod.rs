//! Documents on Redis.

mod params;
mod rows;

use crate::connection::{Connection, Repeat, read};
use crate::keys::{self, Keys, encode};
use crate::scripts::{self, Script};
use async_trait::async_trait;
use mainstay_core::api::documents::{CollectionName, MAX_CHANGES, beginning};
use mainstay_core::api::{Namespace, Position, Timestamp};
use mainstay_core::documents::{
    ChangesQuery, ChangesRead, DocumentName, DocumentRow, DocumentStore, DocumentsQuery, DocumentsRead, HistoryQuery,
    MAX_PAGE_BYTES, PurgeDocuments, RevisionRow, SealedRevision, Transact, Transacted,
};
use mainstay_core::{Error, Result};
use redis::Value;
use rows::Row;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Documents in Redis.
pub(crate) struct RedisDocuments {
    connection: Arc<Connection>,
    keys: Keys,
}

impl RedisDocuments {
    /// Documents over a connection.
    pub fn new(connection: Arc<Connection>, keys: Keys) -> Self {
        Self { connection, keys }
    }

    fn key(&self, namespace: &Namespace) -> String {
        self.keys.documents(&encode(namespace.as_str()))
    }

    async fn ask(&self, script: &Script, namespace: &Namespace, args: &[&[u8]]) -> Result<Value> {
        self.connection.script(script, &self.key(namespace), args, Repeat::Safe).await
    }

    /// Remembers a namespace in the set of those with documents, and in the namespace that this was done. Where it fails,
    /// the next change tries again.
    async fn note(&self, namespace: &Namespace) {
        let mut add = redis::cmd("SADD");
        add.arg(self.keys.namespaces_with_documents()).arg(encode(namespace.as_str()));
        let mut done = redis::cmd("HSET");
        done.arg(self.key(namespace)).arg("noted").arg(1);
        for command in [add, done] {
            if let Err(error) = self.connection.command("note the documents", &command, Repeat::Safe).await {
                tracing::warn!(%namespace, %error, "a namespace with documents could not be noted");
                return;
            }
        }
    }

    async fn namespaces(&self) -> Result<Vec<Namespace>> {
        let mut command = redis::cmd("SMEMBERS");
        command.arg(self.keys.namespaces_with_documents());
        let listed = self.connection.command("list the namespaces with documents", &command, Repeat::Safe).await?;
        let mut listed: Vec<String> = read(listed, "SMEMBERS")?;
        listed.sort();
        listed.iter().map(|segment| keys::namespace(segment)).collect()
    }
}

#[async_trait]
impl DocumentStore for RedisDocuments {
    async fn transact(&self, transact: Transact) -> Result<Transacted> {
        let script = &scripts::DOCUMENTS_TRANSACT;
        let params = params::transact(&transact, &self.keys)?;
        let names = params::names(&transact);
        let mut args: Vec<&[u8]> = vec![&params, transact.by.as_bytes()];
        args.extend(names.guards.iter().map(String::as_bytes));
        for (change, name) in transact.changes.iter().zip(&names.changes) {
            let text = change.write.as_ref().map_or("", |new| new.body.text.as_str());
            args.extend([name.as_bytes(), text.as_bytes(), change.diff.as_str().as_bytes()]);
        }
        // What is remembered under a request id is recognised when it is sent twice; what names every revision cannot be
        // done twice either, but would be refused the second time.
        let repeat = if transact.memo.is_some() { Repeat::Safe } else { Repeat::Never };
        let value = self.connection.script(script, &self.key(&transact.namespace), &args, repeat).await?;
        let answer: Row = read(value, script.name)?;
        let done = rows::transacted(&answer)?;
        if matches!(done, Transacted::Committed(_)) && answer.get(3).is_some_and(|noted| noted == b"0") {
            self.note(&transact.namespace).await;
        }
        Ok(done)
    }

    async fn document(
        &self,
        namespace: &Namespace,
        name: &DocumentName,
        now: Timestamp,
    ) -> Result<Option<DocumentRow>> {
        let script = &scripts::DOCUMENTS_DOCUMENT;
        let (now, name) = (now.as_millis().to_string(), name.to_string());
        let row: Row = read(self.ask(script, namespace, &[now.as_bytes(), name.as_bytes()]).await?, script.name)?;
        if row.is_empty() { Ok(None) } else { rows::document(&row).map(Some) }
    }

    async fn documents(&self, query: DocumentsQuery) -> Result<DocumentsRead> {
        let script = &scripts::DOCUMENTS_DOCUMENTS;
        let params = params::documents(&query)?;
        let collection = format!("{}/", query.collection);
        let after = query.after.as_ref().map_or_else(|| collection.clone(), |key| format!("{collection}{key}"));
        let args: [&[u8]; 3] = [&params, collection.as_bytes(), after.as_bytes()];
        let (found, more, epoch, head): (Vec<Row>, u8, String, u64) =
            read(self.ask(script, &query.namespace, &args).await?, script.name)?;
        let rows = found.iter().map(rows::document).collect::<Result<Vec<_>>>()?;
        let next = rows.last().filter(|_| more == 1).map(|row| row.name.key.clone());
        Ok(DocumentsRead { rows, next, head: rows::position(&epoch, head)? })
    }

    async fn collections(&self, namespace: &Namespace) -> Result<Vec<CollectionName>> {
        let script = &scripts::DOCUMENTS_COLLECTIONS;
        let names: Vec<String> = read(self.ask(script, namespace, &[]).await?, script.name)?;
        names.into_iter().map(|name| name.parse().map_err(|e| rows::broken(&format!("{e}")))).collect()
    }

    async fn history(&self, query: HistoryQuery) -> Result<Vec<RevisionRow>> {
        let script = &scripts::DOCUMENTS_HISTORY;
        let before = query.before.map(|before| before.to_string()).unwrap_or_default();
        let (limit, bytes, name) = (query.limit.to_string(), MAX_PAGE_BYTES.to_string(), query.name.to_string());
        let args = [before.as_bytes(), limit.as_bytes(), bytes.as_bytes(), name.as_bytes()];
        let found: Vec<Row> = read(self.ask(script, &query.namespace, &args).await?, script.name)?;
        found.iter().map(rows::revision).collect()
    }

    async fn changes(&self, query: ChangesQuery) -> Result<ChangesRead> {
        let script = &scripts::DOCUMENTS_CHANGES;
        let (after, limit) = (query.after.offset.to_string(), query.limit.to_string());
        let (most, start) = (MAX_CHANGES.to_string(), beginning());
        let args = [
            query.after.epoch.as_str().as_bytes(),
            after.as_bytes(),
            limit.as_bytes(),
            most.as_bytes(),
            start.epoch.as_str().as_bytes(),
        ];
        let value = self.ask(script, &query.namespace, &args).await?;
        rows::changes(value, query.collection.as_ref(), script.name)
    }

    async fn head(&self, namespace: &Namespace) -> Result<Position> {
        let script = &scripts::DOCUMENTS_HEAD;
        let (epoch, head): (String, u64) = read(self.ask(script, namespace, &[]).await?, script.name)?;
        rows::position(&epoch, head)
    }

    async fn seal_keys(&self) -> Result<Vec<String>> {
        let script = &scripts::DOCUMENTS_SEAL_KEYS;
        let mut all = BTreeSet::new();
        for namespace in self.namespaces().await? {
            all.extend(read::<Vec<String>>(self.ask(script, &namespace, &[]).await?, script.name)?);
        }
        Ok(all.into_iter().collect())
    }

    async fn sealed_otherwise(&self, key: &str, limit: u32) -> Result<Vec<SealedRevision>> {
        let script = &scripts::DOCUMENTS_SEALED;
        let mut found = Vec::new();
        for namespace in self.namespaces().await? {
            let room = limit.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
            if room == 0 {
                break;
            }
            let room = room.to_string();
            let args = [key.as_bytes(), room.as_bytes()];
            let rows: Vec<Row> = read(self.ask(script, &namespace, &args).await?, script.name)?;
            let sealed = rows.iter().map(|row| rows::sealed(row, &namespace));
            found.extend(sealed.collect::<Result<Vec<_>>>()?);
        }
        Ok(found)
    }

    async fn reseal(&self, revision: SealedRevision, before: &str) -> Result<bool> {
        let script = &scripts::DOCUMENTS_RESEAL;
        let (name, number) = (revision.name.to_string(), revision.revision.to_string());
        let args = [
            name.as_bytes(),
            number.as_bytes(),
            before.as_bytes(),
            revision.body.seal_key.as_deref().unwrap_or_default().as_bytes(),
            revision.body.text.as_str().as_bytes(),
        ];
        let key = self.key(&revision.namespace);
        let done: u8 = read(self.connection.script(script, &key, &args, Repeat::Never).await?, script.name)?;
        Ok(done == 1)
    }

    async fn purge(&self, purge: PurgeDocuments) -> Result<u32> {
        let script = &scripts::DOCUMENTS_PURGE;
        let mut removed = 0_u32;
        for namespace in self.namespaces().await? {
            let params = params::purge(&namespace, purge, &self.keys)?;
            let here: u32 = read(self.ask(script, &namespace, &[&params]).await?, script.name)?;
            removed = removed.saturating_add(here);
        }
        Ok(removed)
    }
}

/// An answer that the scripts never give.
fn unexpected(answer: &impl std::fmt::Debug, script: &str) -> Error {
    Error::inconsistent(format!("{script} answered {answer:?}"))
}
