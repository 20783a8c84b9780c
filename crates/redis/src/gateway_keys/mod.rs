//! Gateway keys and usage on Redis. A key is found by the digest of its secret; an index by namespace leads from ids to
//! digests, and is written before the key, removed after it. Usage is told in a step of its own, which counts each request
//! once; what a crash kept from it stands beside the key until a purge.

mod index;
mod rows;
mod usage;

use crate::answer::Answer;
use crate::connection::{Connection, Repeat, read};
use crate::keys::{Keys, encode};
use crate::scripts::{self, Script};
use async_trait::async_trait;
use index::Index;
use mainstay_core::api::providers::{GatewayKeyId, LeaseId};
use mainstay_core::api::{Namespace, Timestamp};
use mainstay_core::providers::keys::{
    Admission, Admit, ChangeKey, CreateKey, KeyOutcome, KeyRecord, KeyStore, ListUsage, Period, SETTLE_WITHIN_MS,
    Settle, UsageRow,
};
use mainstay_core::{Error, Result};
use redis::Value;
use std::sync::Arc;
use usage::Usage;

/// Reservations of a key that one purge forgets.
const PURGE_REQUESTS: u32 = 1_000;
/// How long a key that is noted and not made keeps its id, in milliseconds: whoever makes it has crashed.
const UNMADE_MS: i64 = 60 * 60 * 1_000;
/// How often a removal looks for usage that is not posted.
const MAX_REMOVALS: u32 = 8;

/// Gateway keys in Redis.
pub(crate) struct RedisKeys {
    connection: Arc<Connection>,
    keys: Keys,
    index: Index,
    usage: Usage,
}

/// What a purge found of a key.
struct Tidied {
    /// How many reservations were forgotten.
    gone: u32,
    /// The id of the key; empty where there is none.
    id: String,
    /// Its namespace, encoded; empty where there is none.
    namespace: String,
}

/// Before when what a purge forgets is over.
#[derive(Clone, Copy)]
struct PurgeAt {
    /// Reservations that nobody can settle any more.
    settled: Timestamp,
    /// Keys that were noted and not made.
    unmade: Timestamp,
}

impl RedisKeys {
    /// Gateway keys over a connection.
    pub fn new(connection: Arc<Connection>, keys: Keys) -> Self {
        let index = Index::new(Arc::clone(&connection), keys.clone());
        let usage = Usage::new(Arc::clone(&connection), keys.clone());
        Self { connection, keys, index, usage }
    }

    async fn run(&self, script: &Script, digest: &str, args: &[&[u8]]) -> Result<Value> {
        self.connection.script(script, &self.keys.gateway_key(digest), args, Repeat::Safe).await
    }

    async fn find(&self, digest: &str, now: Timestamp) -> Result<Option<KeyRecord>> {
        let script = &scripts::KEYS_FIND;
        let now = now.as_millis().to_string();
        let mut answer = Answer::of(self.run(script, digest, &[now.as_bytes()]).await?, script.name)?;
        match answer.next::<String>()?.as_str() {
            "key" => rows::key(&mut answer, digest).map(Some),
            _ => Ok(None),
        }
    }

    /// Tells usage what stands beside a key, and forgets it there.
    async fn post(&self, digest: &str, request: &str, told: &str) -> Result<bool> {
        let counted = self.usage.post(request, told).await?;
        let mut command = redis::cmd("HDEL");
        command.arg(self.keys.gateway_unposted(digest)).arg(request);
        self.connection.command("forget what usage was told", &command, Repeat::Safe).await?;
        Ok(counted)
    }

    /// Forgets what is over of a key, and tells usage what it may lack.
    async fn tidy(&self, digest: &str, before: Timestamp) -> Result<Tidied> {
        let (before, most) = (before.as_millis().to_string(), PURGE_REQUESTS.to_string());
        let script = &scripts::KEYS_TIDY;
        let value = self.run(script, digest, &[before.as_bytes(), most.as_bytes()]).await?;
        let (gone, unposted, id, namespace): (u32, Vec<String>, String, String) = read(value, script.name)?;
        for pair in unposted.chunks_exact(2) {
            self.post(digest, &pair[0], &pair[1]).await?;
        }
        Ok(Tidied { gone, id, namespace })
    }

    /// Tidies a key that the index has, and forgets it there where it was noted and not made. Answers whether there is
    /// more to forget.
    async fn purge_key(&self, namespace: &Namespace, listed: &(GatewayKeyId, String), at: PurgeAt) -> Result<bool> {
        let (id, digest) = listed;
        let tidied = self.tidy(digest, at.settled).await?;
        if tidied.id != id.as_str() || tidied.namespace != encode(namespace.as_str()) {
            self.index.forget(namespace, id, digest, Some(at.unmade)).await?;
        }
        Ok(tidied.gone >= PURGE_REQUESTS)
    }

    /// One page of the keys of a namespace: the ids that the index has, each with its key where there is one.
    async fn page(&self, listed: Vec<(GatewayKeyId, String)>, at: (&Namespace, Timestamp)) -> Result<Vec<KeyRecord>> {
        let found = listed.iter().map(|(_, digest)| self.find(digest, at.1));
        let found = futures::future::try_join_all(found).await?;
        let own = |(id, _): &(GatewayKeyId, String), key: &KeyRecord| key.id == *id && key.namespace == *at.0;
        let keys = listed.iter().zip(found).filter_map(|(listed, key)| key.filter(|key| own(listed, key)));
        Ok(keys.collect())
    }
}

#[async_trait]
impl KeyStore for RedisKeys {
    async fn create_key(&self, create: CreateKey) -> Result<KeyOutcome> {
        let record = &create.record;
        if let Some(known) = self.find(&record.digest, create.now).await? {
            let same =
                known.id == record.id && known.namespace == record.namespace && known.created_at == record.created_at;
            return Ok(if same { KeyOutcome::Stored(known.version) } else { KeyOutcome::Exists });
        }
        let added = match self.index.add(&create).await?.as_str() {
            "added" => true,
            "kept" => false,
            "exists" => return Ok(KeyOutcome::Exists),
            _ => return Ok(KeyOutcome::Full),
        };
        if record.seal_key.is_some() {
            self.index.seal(record, "besides").await?;
        }
        let script = &scripts::KEYS_CREATE;
        let fields = rows::fields(record);
        let args: Vec<&[u8]> = fields.iter().map(String::as_bytes).collect();
        let word: String = read(self.run(script, &record.digest, &args).await?, script.name)?;
        if word == "exists" {
            if added {
                self.index.drop(record, None).await?;
            }
            return Ok(KeyOutcome::Exists);
        }
        rows::number(&word).map(KeyOutcome::Stored)
    }

    async fn change_key(&self, change: ChangeKey) -> Result<KeyOutcome> {
        let record = &change.record;
        if record.seal_key.is_some() {
            self.index.seal(record, "besides").await?;
        }
        let script = &scripts::KEYS_CHANGE;
        let fields = rows::fields(record);
        let args: Vec<&[u8]> = fields.iter().take(rows::SETTINGS).map(String::as_bytes).collect();
        // A change that ran and is sent again finds the version that it made.
        let key = self.keys.gateway_key(&record.digest);
        let value = self.connection.script(script, &key, &args, Repeat::Never).await?;
        let (word, version): (String, String) = read(value, script.name)?;
        let version = rows::number(&version)?;
        match word.as_str() {
            "stored" => {
                self.index.seal(record, "alone").await?;
                Ok(KeyOutcome::Stored(version))
            }
            "conflict" => Ok(KeyOutcome::Conflict(version)),
            _ => Ok(KeyOutcome::NotFound),
        }
    }

    async fn remove_key(&self, namespace: &Namespace, id: &GatewayKeyId) -> Result<bool> {
        let Some(digest) = self.index.digest(namespace, id).await? else { return Ok(false) };
        let script = &scripts::KEYS_REMOVE;
        let encoded = encode(namespace.as_str());
        for _ in 0..MAX_REMOVALS {
            let key = self.keys.gateway_key(&digest);
            let args = [id.as_str().as_bytes(), encoded.as_bytes()];
            let value = self.connection.script(script, &key, &args, Repeat::Never).await?;
            match read::<String>(value, script.name)?.as_str() {
                "unposted" => {
                    self.tidy(&digest, Timestamp::from_millis(0)).await?;
                }
                word => {
                    self.index.forget(namespace, id, &digest, None).await?;
                    return Ok(word == "removed");
                }
            }
        }
        let detail = "the key is in use, and its usage is being counted";
        Err(Error::new(mainstay_core::api::Code::StoreBusy, detail, "Disable the key, then repeat the call."))
    }

    async fn key(&self, namespace: &Namespace, id: &GatewayKeyId, now: Timestamp) -> Result<Option<KeyRecord>> {
        let Some(digest) = self.index.digest(namespace, id).await? else { return Ok(None) };
        let found = self.find(&digest, now).await?;
        Ok(found.filter(|key| key.id == *id && key.namespace == *namespace))
    }

    async fn key_of(&self, digest: &str, now: Timestamp) -> Result<Option<KeyRecord>> {
        self.find(digest, now).await
    }

    async fn keys(
        &self,
        namespace: &Namespace,
        after: Option<&GatewayKeyId>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<KeyRecord>> {
        let mut after = after.cloned();
        loop {
            let listed = self.index.list(namespace, after.as_ref(), limit).await?;
            let Some((last, _)) = listed.last().cloned() else { return Ok(Vec::new()) };
            let keys = self.page(listed, (namespace, now)).await?;
            if !keys.is_empty() {
                return Ok(keys);
            }
            after = Some(last);
        }
    }

    async fn seal_keys(&self) -> Result<Vec<String>> {
        let mut used = Vec::new();
        for namespace in self.key_namespaces().await? {
            used.extend(self.index.seals(&namespace).await?);
        }
        used.sort();
        used.dedup();
        Ok(used)
    }

    async fn key_namespaces(&self) -> Result<Vec<Namespace>> {
        self.index.namespaces().await
    }

    async fn admit(&self, admit: Admit) -> Result<Admission> {
        let numbers = [
            admit.reserve.tokens.to_string(),
            admit.reserve.cost.to_string(),
            admit.until.as_millis().to_string(),
            admit.now.as_millis().to_string(),
            Period::Month.start(admit.now).as_millis().to_string(),
            Period::Month.next(admit.now).unwrap_or(admit.now).as_millis().to_string(),
        ];
        let mut args = vec![admit.request.as_str().as_bytes()];
        args.extend(numbers.iter().map(String::as_bytes));
        let script = &scripts::KEYS_ADMIT;
        let mut answer = Answer::of(self.run(script, &admit.digest, &args).await?, script.name)?;
        rows::admission(&mut answer, &admit.digest)
    }

    async fn withdraw(&self, digest: &str, request: &LeaseId) -> Result<bool> {
        let script = &scripts::KEYS_WITHDRAW;
        let value = self.run(script, digest, &[request.as_str().as_bytes()]).await?;
        Ok(read::<u8>(value, script.name)? == 1)
    }

    async fn settle(&self, settle: Settle) -> Result<bool> {
        if settle.admitted_at.as_millis() <= settle.now.as_millis() - SETTLE_WITHIN_MS {
            return Ok(false);
        }
        let (request, told) = (settle.request.as_str(), usage::told(&settle));
        let Some(digest) = &settle.digest else { return self.usage.post(request, &told).await };
        let (tokens, cost) = (settle.spent.tokens().to_string(), settle.spent.cost.to_string());
        let args = [request, &tokens, &cost, &told].map(str::as_bytes);
        let script = &scripts::KEYS_SETTLE;
        match read::<u8>(self.run(script, digest, &args).await?, script.name)? {
            0 => self.usage.post(request, &told).await,
            _ => self.post(digest, request, &told).await,
        }
    }

    async fn usage(&self, list: ListUsage) -> Result<Vec<UsageRow>> {
        self.usage.list(&list).await
    }

    async fn purge(&self, now: Timestamp, before_day: u32) -> Result<bool> {
        let at = PurgeAt {
            settled: Timestamp::from_millis(now.as_millis() - SETTLE_WITHIN_MS),
            unmade: Timestamp::from_millis(now.as_millis() - UNMADE_MS),
        };
        let mut more = false;
        for namespace in self.key_namespaces().await? {
            let mut after = None;
            loop {
                let listed = self.index.list(&namespace, after.as_ref(), 100).await?;
                let Some((last, _)) = listed.last().cloned() else { break };
                let purged = listed.iter().map(|listed| self.purge_key(&namespace, listed, at));
                more |= futures::future::try_join_all(purged).await?.contains(&true);
                after = Some(last);
            }
        }
        self.usage.purge(before_day).await?;
        Ok(more)
    }
}
