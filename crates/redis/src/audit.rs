//! The audit trail on Redis.

use crate::connection::{Connection, Repeat, read};
use crate::keys::{Keys, encode};
use crate::scripts;
use async_trait::async_trait;
use mainstay_core::api::audit::ChainId;
use mainstay_core::audit::{
    Append, Appended, AuditStore, ChainState, Hash, Head, Order, PageQuery, Sealed, Trim, Trimmed,
};
use mainstay_core::{Error, Result};
use serde_json::json;
use std::sync::Arc;

/// Bytes of one page, so that a page of long entries does not hold up the server.
const MAX_PAGE_BYTES: usize = 1_024 * 1_024;

/// The audit trail in Redis.
pub(crate) struct RedisAudit {
    connection: Arc<Connection>,
    keys: Keys,
}

impl RedisAudit {
    /// The audit trail over a connection.
    pub fn new(connection: Arc<Connection>, keys: Keys) -> Self {
        Self { connection, keys }
    }

    /// Remembers a chain in the set of chains, and in the chain that this was done. Where it fails, the next append
    /// tries again.
    async fn note(&self, chain: &ChainId) {
        let mut add = redis::cmd("SADD");
        add.arg(self.keys.audit_chains()).arg(encode(&chain.to_string()));
        let mut done = redis::cmd("HSET");
        done.arg(self.key(chain)).arg("noted").arg(1);
        for command in [add, done] {
            if let Err(error) = self.connection.command("note the audit chain", &command, Repeat::Safe).await {
                tracing::warn!(%chain, %error, "a new audit chain could not be noted");
                return;
            }
        }
    }

    fn key(&self, chain: &ChainId) -> String {
        self.keys.audit(&encode(&chain.to_string()))
    }
}

#[async_trait]
impl AuditStore for RedisAudit {
    async fn append(&self, append: Append) -> Result<Appended> {
        let Some(last) = append.entries.last() else { return Ok(Appended::Appended) };
        let params = json!({
            "seq": append.expected.seq.to_string(),
            "hash": append.expected.hash.to_string(),
            "last": last.seq.to_string(),
            "last_hash": last.hash.to_string(),
        })
        .to_string();
        let hashes: Vec<String> = append.entries.iter().map(|entry| entry.hash.to_string()).collect();
        let entries =
            append.entries.iter().zip(&hashes).flat_map(|(entry, hash)| [hash.as_bytes(), entry.body.as_bytes()]);
        let args: Vec<&[u8]> = std::iter::once(params.as_bytes()).chain(entries).collect();
        let (script, key) = (&scripts::AUDIT_APPEND, self.key(&append.chain));
        let value = self.connection.script(script, &key, &args, Repeat::Safe).await?;
        let (word, seq, hash, noted): (String, u64, String, u8) = read(value, script.name)?;
        if word == "appended" && noted == 0 {
            self.note(&append.chain).await;
        }
        match word.as_str() {
            "appended" => Ok(Appended::Appended),
            "moved" => Ok(Appended::Moved(place(seq, &hash)?)),
            "broken" => Err(Error::inconsistent(format!("the log of {} does not end at its head {seq}", append.chain))),
            other => Err(Error::inconsistent(format!("{} answered {other:?}", script.name))),
        }
    }

    async fn state(&self, chain: &ChainId) -> Result<Option<ChainState>> {
        let script = &scripts::AUDIT_STATE;
        let value = self.connection.script(script, &self.key(chain), &[], Repeat::Safe).await?;
        let parts: Vec<String> = read(value, script.name)?;
        let [seq, hash, count, base_seq, base_hash, trim] = parts.as_slice() else { return Ok(None) };
        Ok(Some(ChainState {
            head: place(number(seq)?, hash)?,
            count: number(count)?,
            base: place(number(base_seq)?, base_hash)?,
            trim: (!trim.is_empty()).then(|| trim.clone()),
        }))
    }

    async fn chains(&self) -> Result<Vec<ChainId>> {
        let mut command = redis::cmd("SMEMBERS");
        command.arg(self.keys.audit_chains());
        let listed = self.connection.command("list the audit chains", &command, Repeat::Safe).await?;
        let parse = |segment: &String| {
            let text = crate::keys::decode(segment)?;
            text.parse().map_err(|broken| Error::inconsistent(format!("a stored {broken}")))
        };
        read::<Vec<String>>(listed, "SMEMBERS")?.iter().map(parse).collect()
    }

    async fn page(&self, query: PageQuery) -> Result<Vec<Sealed>> {
        let (ascending, from) = match query.order {
            Order::After(seq) => ("1", seq),
            // Redis knows no range that ends before the first id there can be.
            Order::Before(0) => return Ok(Vec::new()),
            Order::Before(seq) => ("0", seq),
        };
        let (from, limit, bytes) = (from.to_string(), query.limit.to_string(), MAX_PAGE_BYTES.to_string());
        let args: [&[u8]; 4] = [ascending.as_bytes(), from.as_bytes(), limit.as_bytes(), bytes.as_bytes()];
        let script = &scripts::AUDIT_PAGE;
        let value = self.connection.script(script, &self.key(&query.chain), &args, Repeat::Safe).await?;
        let flat: Vec<Vec<u8>> = read(value, script.name)?;
        Ok(flat.chunks_exact(3).map(sealed).collect())
    }

    async fn trim(&self, trim: Trim) -> Result<Trimmed> {
        let (seq, hash) = (trim.base.seq.to_string(), trim.base.hash.to_string());
        let args: [&[u8]; 3] = [seq.as_bytes(), hash.as_bytes(), trim.statement.as_bytes()];
        let script = &scripts::AUDIT_TRIM;
        let value = self.connection.script(script, &self.key(&trim.chain), &args, Repeat::Safe).await?;
        let removed: i64 = read(value, script.name)?;
        Ok(u64::try_from(removed).map_or(Trimmed::Mismatch, Trimmed::Removed))
    }
}

/// An entry as it stands, also where somebody has written what we never would: a verification has to see that.
fn sealed(row: &[Vec<u8>]) -> Sealed {
    let text = |at: usize| row.get(at).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default();
    let seq = text(0).split_once('-').and_then(|(seq, rest)| (rest == "0").then(|| seq.parse().ok())?).unwrap_or(0);
    Sealed { seq, hash: Hash::parse(&text(1)).unwrap_or(Hash::GENESIS), body: text(2) }
}

fn place(seq: u64, hash: &str) -> Result<Head> {
    let hash = Hash::parse(hash).map_err(|_| Error::inconsistent(format!("the hash of a chain's end is {hash:?}")))?;
    Ok(Head { seq, hash })
}

fn number(text: &str) -> Result<u64> {
    text.parse().map_err(|_| Error::inconsistent(format!("the state of a chain holds {text:?} for a number")))
}
