//! The keys of a namespace by id.

use crate::connection::{Connection, Repeat, read};
use crate::keys::{self, Keys, encode};
use crate::scripts::{self, Script};
use mainstay_core::api::providers::GatewayKeyId;
use mainstay_core::api::{Namespace, Timestamp};
use mainstay_core::providers::keys::{CreateKey, KeyRecord};
use mainstay_core::{Error, Result};
use redis::Value;
use std::sync::Arc;

/// The indexes of all namespaces.
pub(super) struct Index {
    connection: Arc<Connection>,
    keys: Keys,
}

impl Index {
    pub fn new(connection: Arc<Connection>, keys: Keys) -> Self {
        Self { connection, keys }
    }

    async fn run(&self, script: &Script, namespace: &Namespace, args: &[&str]) -> Result<Value> {
        let key = self.keys.gateway_index(&encode(namespace.as_str()), "meta");
        let args: Vec<&[u8]> = args.iter().map(|arg| arg.as_bytes()).collect();
        self.connection.script(script, &key, &args, Repeat::Safe).await
    }

    async fn command(&self, what: &str, command: &redis::Cmd) -> Result<Value> {
        self.connection.command(what, command, Repeat::Safe).await
    }

    /// Notes a key that is about to be made.
    pub async fn add(&self, create: &CreateKey) -> Result<String> {
        let record = &create.record;
        let mut command = redis::cmd("SADD");
        command.arg(self.keys.gateway_namespaces()).arg(encode(record.namespace.as_str()));
        self.command("note a namespace with gateway keys", &command).await?;
        let (made, most) = (create.now.as_millis().to_string(), create.max_keys.to_string());
        let script = &scripts::KEYS_INDEX_ADD;
        let args = [record.id.as_str(), &record.digest, &made, &most];
        read(self.run(script, &record.namespace, &args).await?, script.name)
    }

    /// Forgets a key that was not made, or is removed.
    pub async fn drop(&self, record: &KeyRecord, before: Option<Timestamp>) -> Result<()> {
        self.forget(&record.namespace, &record.id, &record.digest, before).await
    }

    pub async fn forget(
        &self,
        namespace: &Namespace,
        id: &GatewayKeyId,
        digest: &str,
        before: Option<Timestamp>,
    ) -> Result<()> {
        let before = before.map(|at| at.as_millis().to_string()).unwrap_or_default();
        self.run(&scripts::KEYS_INDEX_DROP, namespace, &[id.as_str(), digest, &before]).await.map(drop)
    }

    pub async fn digest(&self, namespace: &Namespace, id: &GatewayKeyId) -> Result<Option<String>> {
        let mut command = redis::cmd("HGET");
        command.arg(self.keys.gateway_index(&encode(namespace.as_str()), "digests")).arg(id.as_str());
        read(self.command("find a gateway key", &command).await?, "HGET")
    }

    pub async fn list(
        &self,
        namespace: &Namespace,
        after: Option<&GatewayKeyId>,
        limit: u32,
    ) -> Result<Vec<(GatewayKeyId, String)>> {
        let script = &scripts::KEYS_INDEX_LIST;
        let args = [after.map_or("", GatewayKeyId::as_str), &limit.to_string()];
        let flat: Vec<String> = read(self.run(script, namespace, &args).await?, script.name)?;
        let pairs = flat.chunks_exact(2).map(|pair| Ok((parse_id(&pair[0])?, pair[1].clone())));
        pairs.collect()
    }

    /// Says what a key is sealed with, `besides` what is known or `alone`.
    pub async fn seal(&self, record: &KeyRecord, how: &str) -> Result<()> {
        let args = [record.id.as_str(), record.seal_key.as_deref().unwrap_or_default(), how];
        self.run(&scripts::KEYS_INDEX_SEAL, &record.namespace, &args).await.map(drop)
    }

    pub async fn seals(&self, namespace: &Namespace) -> Result<Vec<String>> {
        let mut command = redis::cmd("HVALS");
        command.arg(self.keys.gateway_index(&encode(namespace.as_str()), "seals"));
        let seals: Vec<String> = read(self.command("list what is sealed", &command).await?, "HVALS")?;
        Ok(seals.iter().flat_map(|seals| seals.split_whitespace()).map(str::to_owned).collect())
    }

    pub async fn namespaces(&self) -> Result<Vec<Namespace>> {
        let mut command = redis::cmd("SMEMBERS");
        command.arg(self.keys.gateway_namespaces());
        let listed = self.command("list the namespaces with gateway keys", &command).await?;
        let mut namespaces: Vec<Namespace> =
            read::<Vec<String>>(listed, "SMEMBERS")?.iter().map(|name| keys::namespace(name)).collect::<Result<_>>()?;
        namespaces.sort();
        Ok(namespaces)
    }
}

fn parse_id(text: &str) -> Result<GatewayKeyId> {
    GatewayKeyId::parse(text).map_err(|broken| Error::inconsistent(format!("stored {broken}")))
}
