//! Credentials of providers on Redis. They are part of the aggregate of their pool.

mod rows;

use crate::connection::{Connection, Repeat, read};
use crate::keys::{self, Keys, encode};
use crate::scripts::{self, Script};
use async_trait::async_trait;
use mainstay_core::api::Timestamp;
use mainstay_core::api::providers::{PoolType, ProviderId};
use mainstay_core::providers::PoolName;
use mainstay_core::providers::credentials::{
    BeginRefresh, Begun, CredentialOutcome, CredentialRecord, CredentialStore, DueCredential, FailRefresh,
    FinishRefresh, ListDue, PutCredential, RefreshEnd, ResealCredential,
};
use mainstay_core::{Error, Result};
use redis::Value;
use rows::{Flat, broken, number, record, time};
use std::sync::Arc;

/// Credentials in Redis.
pub(crate) struct RedisTokens {
    connection: Arc<Connection>,
    keys: Keys,
}

/// A pool as parts of keys and of wake-ups.
struct Pool {
    key: String,
    /// The encoded namespace and pool, as a wake-up names them.
    wake: String,
    /// The same, as the set of pools with credentials does.
    note: String,
}

impl RedisTokens {
    /// Credentials over a connection.
    pub fn new(connection: Arc<Connection>, keys: Keys) -> Self {
        Self { connection, keys }
    }

    fn pool(&self, name: &PoolName) -> Pool {
        let (namespace, pool) = (encode(name.namespace.as_str()), encode(name.pool.as_str()));
        let (wake, note) = (format!("{namespace} {pool}"), format!("{namespace}:{pool}"));
        Pool { key: self.keys.pool(&namespace, &pool), wake, note }
    }

    async fn run(&self, script: &Script, key: &str, args: &[&[u8]]) -> Result<Value> {
        self.connection.script(script, key, args, Repeat::Safe).await
    }

    async fn flat(&self, script: &Script, key: &str, args: &[&[u8]]) -> Result<Flat> {
        read(self.run(script, key, args).await?, script.name)
    }

    /// Adds a pool to the set of those with credentials, which is in a slot of its own, or takes it out.
    async fn note(&self, pool: &Pool, command: &str) -> Result<()> {
        let mut command = redis::cmd(command);
        command.arg(self.keys.pools_with_credentials()).arg(&pool.note);
        self.connection.command("note the credentials", &command, Repeat::Safe).await.map(drop)
    }

    /// The pools that have, or had, credentials.
    async fn pools(&self) -> Result<Vec<PoolName>> {
        let mut command = redis::cmd("SMEMBERS");
        command.arg(self.keys.pools_with_credentials());
        let listed = self.connection.command("list the credentials", &command, Repeat::Safe).await?;
        let mut pools = Vec::new();
        for entry in read::<Vec<String>>(listed, "SMEMBERS")? {
            let Some((namespace, pool)) = entry.split_once(':') else { continue };
            let pool = PoolType::parse(keys::decode(pool)?).map_err(|e| broken(&e.to_string()))?;
            pools.push(PoolName { namespace: keys::namespace(namespace)?, pool });
        }
        Ok(pools)
    }

    async fn put(&self, put: PutCredential) -> Result<CredentialOutcome> {
        let pool = self.pool(&put.pool);
        let provider = encode(put.provider.as_str());
        let millis = |at: Option<Timestamp>| at.map(|at| at.as_millis().to_string()).unwrap_or_default();
        let (expires, refresh, now) = (millis(put.expires_at), millis(put.refresh_at), millis(Some(put.now)));
        let expected = put.expected.map(|version| version.to_string()).unwrap_or_default();
        let channel = self.keys.channel();
        let args = [&provider, &put.sealed, &put.seal_key, &expires, &refresh, &expected, &now, &channel, &pool.wake]
            .map(|arg| arg.as_bytes());
        let script = &scripts::CREDENTIALS_PUT;
        let answer = self.flat(script, &pool.key, &args).await?;
        match answer.split_first() {
            Some((word, [version, first])) if word == "stored" => {
                // Whoever took the pool out of the set because it had none did so before this.
                if first == "1" {
                    self.note(&pool, "SADD").await?;
                }
                Ok(CredentialOutcome::Stored(number(version)?))
            }
            Some((word, fields)) if word == "conflict" => Ok(CredentialOutcome::Conflict(Box::new(record(fields)?))),
            Some((word, _)) if word == "not_found" => Ok(CredentialOutcome::NotFound),
            _ => Err(odd(script)),
        }
    }

    /// Which credentials of a pool are sealed with which keys. A pool that has none leaves the set of those that do.
    async fn seals(&self, name: &PoolName) -> Result<Flat> {
        let pool = self.pool(name);
        let seals = self.flat(&scripts::CREDENTIALS_SEALS, &pool.key, &[]).await?;
        if seals.is_empty() {
            self.note(&pool, "SREM").await?;
        }
        Ok(seals)
    }
}

#[async_trait]
impl CredentialStore for RedisTokens {
    async fn credential(&self, pool: &PoolName, provider: &ProviderId) -> Result<Option<CredentialRecord>> {
        let provider = encode(provider.as_str());
        let flat = self.flat(&scripts::CREDENTIALS_READ, &self.pool(pool).key, &[provider.as_bytes()]).await?;
        if flat.is_empty() { Ok(None) } else { record(&flat).map(Some) }
    }

    async fn put_credential(&self, put: PutCredential) -> Result<CredentialOutcome> {
        // The pool is in the set before it has a credential, and again after: one that stands alone is found nowhere else.
        self.note(&self.pool(&put.pool), "SADD").await?;
        self.put(put).await
    }

    async fn remove_credential(&self, pool: &PoolName, provider: &ProviderId) -> Result<bool> {
        let (pool, provider, channel) = (self.pool(pool), encode(provider.as_str()), self.keys.channel());
        let args = [&provider, &channel, &pool.wake].map(|arg| arg.as_bytes());
        let script = &scripts::CREDENTIALS_REMOVE;
        // Repeated, it would say that there was none.
        let removed = self.connection.script(script, &pool.key, &args, Repeat::Never).await?;
        Ok(read::<u8>(removed, script.name)? == 1)
    }

    async fn begin_refresh(&self, begin: BeginRefresh) -> Result<Begun> {
        let provider = encode(begin.provider.as_str());
        let (seen, forced) = (begin.seen.to_string(), u8::from(begin.forced).to_string());
        let [until, now] = [begin.until, begin.now].map(|at| at.as_millis().to_string());
        let args = [&provider, &seen, &begin.holder, &until, &forced, &now].map(|arg| arg.as_bytes());
        let script = &scripts::CREDENTIALS_BEGIN;
        let answer = self.flat(script, &self.pool(&begin.pool).key, &args).await?;
        let (word, rest) = answer.split_first().ok_or_else(|| odd(script))?;
        let until = || time(rest.first().map_or("", String::as_str))?.ok_or_else(|| odd(script));
        match word.as_str() {
            "granted" => Ok(Begun::Granted(Box::new(record(rest)?))),
            "newer" => Ok(Begun::Newer(Box::new(record(rest)?))),
            "held" => Ok(Begun::Held(until()?)),
            "waiting" => Ok(Begun::Waiting(until()?)),
            "dead" => Ok(Begun::Dead(rest.concat())),
            "not_found" => Ok(Begun::NotFound),
            _ => Err(odd(script)),
        }
    }

    async fn finish_refresh(&self, finish: FinishRefresh) -> Result<CredentialOutcome> {
        self.put(finish.put).await
    }

    async fn fail_refresh(&self, fail: FailRefresh) -> Result<bool> {
        let pool = self.pool(&fail.pool);
        let provider = encode(fail.provider.as_str());
        let (version, fence, channel) = (fail.version.to_string(), fail.fence.to_string(), self.keys.channel());
        let (kind, detail, doubt) = match fail.end {
            RefreshEnd::Unused => ("unused", String::new(), "0"),
            RefreshEnd::Transient { until, in_doubt } => {
                ("transient", until.as_millis().to_string(), if in_doubt { "1" } else { "0" })
            }
            RefreshEnd::Dead(reason) => ("dead", reason, "0"),
        };
        let args = [&provider, &version, &fence, kind, &detail, doubt, &channel, &pool.wake].map(str::as_bytes);
        let script = &scripts::CREDENTIALS_FAIL;
        // Repeated, it changes nothing: the lease has ended by then.
        Ok(read::<u8>(self.run(script, &pool.key, &args).await?, script.name)? == 1)
    }

    async fn due(&self, list: ListDue) -> Result<Vec<DueCredential>> {
        let (now, limit) = (list.now.as_millis().to_string(), list.limit.to_string());
        let mut due = Vec::new();
        for pool in self.pools().await? {
            let args = [now.as_bytes(), limit.as_bytes()];
            let flat = self.flat(&scripts::CREDENTIALS_DUE, &self.pool(&pool).key, &args).await?;
            for part in flat.chunks_exact(3) {
                let provider = ProviderId::parse(keys::decode(&part[0])?).map_err(|e| broken(&e.to_string()))?;
                let refresh_at = time(&part[2])?.ok_or_else(|| broken("it is due without a time"))?;
                due.push(DueCredential { pool: pool.clone(), provider, version: number(&part[1])?, refresh_at });
            }
        }
        due.sort_by_key(|due| due.refresh_at);
        due.truncate(list.limit as usize);
        Ok(due)
    }

    async fn credential_seal_keys(&self) -> Result<Vec<String>> {
        let mut used = Vec::new();
        for pool in self.pools().await? {
            used.extend(self.seals(&pool).await?.chunks_exact(2).map(|pair| pair[1].clone()));
            used.sort();
            used.dedup();
        }
        Ok(used)
    }

    async fn credentials_not_sealed_with(&self, key: &str, limit: u32) -> Result<Vec<(PoolName, ProviderId)>> {
        let mut others = Vec::new();
        for pool in self.pools().await? {
            for pair in self.seals(&pool).await?.chunks_exact(2).filter(|pair| pair[1] != key) {
                let provider = ProviderId::parse(keys::decode(&pair[0])?).map_err(|e| broken(&e.to_string()))?;
                others.push((pool.clone(), provider));
                if others.len() >= limit as usize {
                    return Ok(others);
                }
            }
        }
        Ok(others)
    }

    async fn reseal_credential(&self, reseal: ResealCredential) -> Result<bool> {
        let provider = encode(reseal.provider.as_str());
        let version = reseal.version.to_string();
        let args = [&provider, &version, &reseal.sealed, &reseal.seal_key].map(|arg| arg.as_bytes());
        let script = &scripts::CREDENTIALS_RESEAL;
        Ok(read::<u8>(self.run(script, &self.pool(&reseal.pool).key, &args).await?, script.name)? == 1)
    }
}

fn odd(script: &Script) -> Error {
    Error::inconsistent(format!("{} answered something else", script.name))
}
