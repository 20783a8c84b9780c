//! Chains: where each begins and ends.

use crate::errors::Outcome;
use mainstay_core::Error;
use mainstay_core::api::audit::ChainId;
use mainstay_core::audit::{ChainState, Hash, Head};
use rusqlite::{Connection, OptionalExtension};

/// A chain, and the number that stands for it.
pub(super) struct Chain {
    pub id: i64,
    pub state: ChainState,
}

/// The chain of this name, where there is one.
pub(super) fn find(connection: &Connection, chain: &ChainId) -> Outcome<Option<Chain>> {
    let sql = "SELECT id, seq, hash, count, base_seq, base_hash, statement FROM audit_chains WHERE chain = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let read = |row: &rusqlite::Row<'_>| {
        let text = |at: usize| row.get::<_, String>(at);
        Ok(((row.get(0)?, row.get(1)?, text(2)?), (row.get(3)?, row.get(4)?, text(5)?, row.get(6)?)))
    };
    let Some(((id, seq, hash), (count, base_seq, base_hash, trim))) =
        statement.query_row([chain.to_string()], read).optional()?
    else {
        return Ok(None);
    };
    let state = ChainState { head: place(seq, &hash)?, count, base: place(base_seq, &base_hash)?, trim };
    Ok(Some(Chain { id, state }))
}

/// See [`mainstay_core::audit::AuditStore::chains`].
pub(super) fn list(connection: &Connection) -> Outcome<Vec<ChainId>> {
    let mut statement = connection.prepare_cached("SELECT chain FROM audit_chains ORDER BY chain")?;
    let mut rows = statement.query([])?;
    let mut chains = Vec::new();
    while let Some(row) = rows.next()? {
        let parsed = row.get::<_, String>(0)?.parse();
        chains.push(parsed.map_err(|broken| Error::inconsistent(format!("a stored {broken}")))?);
    }
    Ok(chains)
}

/// Makes a chain without entries.
pub(super) fn make(connection: &Connection, chain: &ChainId) -> Outcome<i64> {
    let sql = "INSERT INTO audit_chains (chain, seq, hash, count, base_seq, base_hash) VALUES (?1, 0, ?2, 0, 0, ?2)";
    connection.prepare_cached(sql)?.execute((chain.to_string(), Hash::GENESIS.to_string()))?;
    Ok(connection.last_insert_rowid())
}

fn place(seq: u64, hash: &str) -> Outcome<Head> {
    let hash = Hash::parse(hash).map_err(|_| Error::inconsistent(format!("the hash of a chain's end is {hash:?}")))?;
    Ok(Head { seq, hash })
}
